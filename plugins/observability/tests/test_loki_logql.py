"""LogQL is understood far enough to refuse what is wrong, and what would read everything."""

from __future__ import annotations

import pytest
from plugins.observability.agent_gateway_observability.logql import check_logql, parse_logql
from plugins.observability.agent_gateway_observability.settings import Limits

import agent_gateway as ag


@pytest.mark.parametrize(
    "query",
    [
        '{app="checkout"}',
        '{ app = `checkout` , pod!="" }',
        '{app=~"check.+", env!="test"} |= "it\'s {odd}" != `]` |~ "a|b"',
        '{app="a"} | json | line_format "{{.msg}} [{{.level}}]" | level="error"',
        '{app="a"} | logfmt | duration > 10s # the slow ones (only',
        '({app="a"} |= "x")',
        r'{path="C:\\logs\"{"}',
        '{pattern=~"(?<name>a"}',
    ],
)
def test_queries_for_lines_pass(query: str) -> None:
    parsed = parse_logql(query)
    assert (parsed.lines, parsed.text, parsed.ranges) == (True, query, ())


@pytest.mark.parametrize(
    ("query", "ranges"),
    [
        ('rate({app="a"}[5m])', (300,)),
        ('sum by (pod) (count_over_time({app="a"} |= "[1h]" [ 1h30m ]))', (5400,)),
        ('sum(rate({app="a"}[1m])) / sum(rate({app="b"}[2m])) > 0.1', (60, 120)),
        ('quantile_over_time(0.99, {app="a"} | json | unwrap ms [10s]) by (pod)', (10,)),
    ],
)
def test_metrics_of_lines_are_told_by_their_ranges(query: str, ranges: tuple[float, ...]) -> None:
    parsed = parse_logql(query)
    assert (parsed.lines, parsed.ranges) == (False, ranges)
    assert parsed.begins_like_one


@pytest.mark.parametrize(
    ("query", "where", "what"),
    [
        ("", "", "is empty"),
        ("x" * 2001, "", "2001 characters, at most 2000"),
        ('|= "error"', "at character 1", "it has no selector such as"),
        ('{app="checkout}', 'at character 6, `"checkout}`', "this string is not closed"),
        ('{app="a"', "at character 1", "this `{` is not closed"),
        ('sum(rate({app="a"}[5m])', "at character 4", "this `(` is not closed"),
        ('rate({app="a"}[5m)', "at character 15", "this `[` is closed by `)`"),
        ('{app="a"}}', "at character 10", "this `}` closes nothing"),
        ("{app=checkout}", "at character 6", "a value in quotes must follow"),
        ("{app='checkout'}", "at character 6", "a value in quotes must follow"),
        ('{app:"checkout"}', "at character 5", "one of = != =~ !~ must follow `app`"),
        ('{app="a" env="b"}', "at character 10", "a comma or the end of the selector"),
        ('{"app"="a"}', "at character 2", "a label's name must stand here"),
        ('{app="a",}', "at character 10", "a label's name must stand here"),
        ("{ }", "at character 1", "this selector is empty"),
        ('rate({app="a"}[soon])', "at character 15", "a range must stand here, like [5m]"),
        ('rate({app="a"})', "at character 1", "needs a range such as [5m]"),
    ],
)
def test_a_mistake_is_pointed_at(query: str, where: str, what: str) -> None:
    with pytest.raises(ag.InvalidInput) as caught:
        parse_logql(query)
    assert where in caught.value.detail
    assert what in caught.value.detail


@pytest.mark.parametrize(
    "selector",
    [
        '{app=~".*"}',
        '{app=~".+"}',
        '{app=~"(.*|.+)"}',
        '{app=~"a|"}',
        '{app=""}',
        '{app!=""}',
        '{app!="a"}',
        '{app!~"a.*"}',
        '{app=~".+", env!="test"}',
    ],
)
@pytest.mark.parametrize("query", ["%s", "rate(%s[5m])", 'rate({app="a"}[5m]) / rate(%s[5m])'])
def test_what_selects_nearly_everything_is_refused(query: str, selector: str) -> None:
    with pytest.raises(ag.InvalidInput, match="selects nearly everything"):
        parse_logql(query % selector)


def test_a_range_reads_no_more_than_allowed() -> None:
    limits = Limits(log_range_seconds=3600)
    assert check_logql('rate({app="a"}[1h])', limits).ranges == (3600,)
    with pytest.raises(ag.InvalidInput, match=r"too expensive: it reads \[1h1m\]") as caught:
        check_logql('rate({app="a"}[5m]) / rate({app="a"}[61m])', limits)
    assert caught.value.hint == "at most [1h] is allowed"
