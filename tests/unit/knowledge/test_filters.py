from __future__ import annotations

import asyncio
import re

import lancedb
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_gateway.knowledge.filters import Filter, compile_filters, equals

LITERAL = re.compile(r"'((?:[^']|'')*)'")


def test_conditions_are_joined_and_quoted() -> None:
    filters = [equals("root", "/docs"), Filter("source", ("a.md", "it's.md")), equals("chunk", 0)]
    assert compile_filters(filters) == "root IN ('/docs') AND source IN ('a.md', 'it''s.md') AND chunk IN (0)"


def test_no_condition_is_no_sql_and_no_value_matches_nothing() -> None:
    assert compile_filters([]) == ""
    assert compile_filters([Filter("source", ())]) == "false"


@settings(deadline=None)
@given(
    st.lists(st.text() | st.sampled_from(["' OR 1=1 --", "\\'", "''", "'); DROP", "\0", "'/*"]), min_size=1, max_size=4)
)
def test_a_value_never_leaves_its_quotes(values: list[str]) -> None:
    sql = compile_filters([Filter("source", tuple(values))])
    assert [found.replace("''", "'") for found in LITERAL.findall(sql)] == values
    assert re.fullmatch(r"source IN \(S(?:, S)*\)", LITERAL.sub("S", sql))


VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["'", "\\'", "' OR 'a'='a", "%", "a"]
)


@settings(max_examples=25, deadline=None)
@given(st.lists(VALUES, unique=True, min_size=1, max_size=8), VALUES)
def test_the_engine_finds_exactly_the_value(stored: list[str], wanted: str) -> None:
    async def find() -> list[str]:
        connection = await lancedb.connect_async("memory://")
        table = await connection.create_table("t", pa.table({"source": stored}))
        found = await table.query().where(compile_filters([equals("source", wanted)])).to_arrow()
        return list(found["source"].to_pylist())

    assert asyncio.run(find()) == [value for value in stored if value == wanted]
