from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from tests.unit.knowledge.shelf import encode
from tests.unit.knowledge.test_library import MARK, WordsEncoder, asked, recalled, reopened

from agent_gateway.interfaces import Forgetting, Interaction
from agent_gateway.knowledge.forgetting import BATCH
from agent_gateway.knowledge.ingest import Ingester
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.knowledge.library import Library
from agent_gateway.knowledge.ranker import load_ranker
from agent_gateway.testing import HashingEncoder

QUESTION = "How long does a restore take?"


class Queue:
    """Interactions on their way."""

    def __init__(self) -> None:
        self.held: list[Interaction] = []

    async def withdraw(self, which: Forgetting) -> Sequence[str]:
        found = [each for each in self.held if which.matches(each)]
        if not which.dry_run:
            self.held = [each for each in self.held if each not in found]
        return [each.run_id for each in found]


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def bulk() -> WordsEncoder:
    return WordsEncoder()


@pytest.fixture
async def library(store: Store, bulk: WordsEncoder, queue: Queue) -> Library:
    made = Library(store, Ingester(store, bulk, MARK), HashingEncoder(), ranker=load_ranker(), undelivered=queue)
    await made.absorb([about("r1"), about("r2", "ops/a.md", "b.md"), about("r3", owner="ann"), about("r4")], ())
    await made.absorb([asked("r5", QUESTION, persona="otto")], ())
    return made


def about(run_id: str, *sources: str, owner: str = "local") -> Interaction:
    return msgspec.structs.replace(asked(run_id, QUESTION, owner=owner), sources=sources or ("backup.md",))


async def kept(library: Library) -> set[str]:
    return {each.run_id for each in (await library._store.load_interactions()).interactions}


@pytest.mark.parametrize(
    ("which", "gone"),
    [
        (Forgetting(source="backup.md"), {"r1", "r3", "r4", "r5"}),
        (Forgetting(source="backup.md", owner="local"), {"r1", "r4", "r5"}),
        (Forgetting(source="*", owner="local", persona="otto"), {"r5"}),
        (Forgetting(source="ops/*"), {"r2"}),
        (Forgetting(source="[bx].md"), {"r2"}),
        (Forgetting(owner="ann"), {"r3"}),
        (Forgetting(owner="local", persona="nora"), {"r1", "r2", "r4"}),
        (Forgetting(run_id="r4"), {"r4"}),
        (Forgetting(run_id="r' OR 'r' = 'r"), set()),
        (Forgetting(source="backup"), set()),
    ],
)
async def test_what_matches_is_gone_at_once_and_for_good(
    library: Library, bulk: WordsEncoder, which: Forgetting, gone: set[str]
) -> None:
    everything = await kept(library)
    assert await library.forget(msgspec.structs.replace(which, dry_run=True)) == len(gone)
    assert await kept(library) == everything
    assert await library.forget(which) == len(gone)
    assert await kept(library) == everything - gone
    for each in (library, await reopened(library, bulk)):
        scopes = (("local", "nora"), ("ann", "nora"), ("local", "otto"))
        found = {run for owner, persona in scopes for run in await recalled(each, QUESTION, owner, persona)}
        assert found == everything - gone
    assert await library.forget(which) == 0


async def test_what_cited_nothing_is_forgotten_with_its_owner(library: Library) -> None:
    await library.absorb([msgspec.structs.replace(about("r6", owner="eve"), sources=())], ())
    assert await library.forget(Forgetting(source="*", owner="eve")) == 0
    assert await library.forget(Forgetting(owner="eve")) == 1
    assert "r6" not in await kept(library)


async def test_nothing_is_forgotten_where_nothing_was_remembered(store: Store, bulk: WordsEncoder) -> None:
    empty = Library(store, Ingester(store, bulk, MARK), HashingEncoder(), ranker=load_ranker())
    assert await empty.forget(Forgetting(source="*")) == 0


async def test_more_than_one_condition_can_hold_are_forgotten(store: Store, library: Library) -> None:
    many = [about(f"r{number}", "bulk.md") for number in range(10, 10 + 2 * BATCH + 1)]
    await store.add_interactions(many, [encode(QUESTION)] * len(many), MARK)
    assert await library.forget(Forgetting(source="bulk.md")) == len(many)
    assert len(await kept(library)) == 5


async def test_what_is_on_its_way_is_forgotten_as_well_and_counted_once(library: Library, queue: Queue) -> None:
    queue.held = [about("r1"), about("r6"), about("r7", owner="ann")]
    assert await library.forget(Forgetting(owner="local", persona="nora", dry_run=True)) == 4
    assert await library.forget(Forgetting(owner="local", persona="nora")) == 4
    assert [each.run_id for each in queue.held] == ["r7"]


async def test_a_batch_that_was_read_before_brings_nothing_back(library: Library, queue: Queue) -> None:
    queue.held = [about("r6"), about("r7", owner="ann")]
    batch = list(queue.held)
    await library.forget(Forgetting(owner="local"))
    await library.absorb(batch, ())
    assert await recalled(library, QUESTION) == []
    assert await kept(library) == {"r3", "r7"}
    await library.absorb((), ["r6"])
    assert await kept(library) == {"r3", "r7"}


async def test_remembering_and_forgetting_side_by_side_agree(library: Library) -> None:
    await asyncio.gather(
        *(library.absorb([about(f"r{number}")], ()) for number in range(10, 15)),
        library.forget(Forgetting(source="backup.md")),
        *(library.absorb([about(f"r{number}")], ()) for number in range(15, 20)),
    )
    held = {run for run, row in library._memories._rows.items() if row >= 0}
    assert held == await kept(library)
