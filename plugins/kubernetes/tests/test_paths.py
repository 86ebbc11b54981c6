"""JSONPath templates, custom columns and sorting, over plain objects."""

from __future__ import annotations

import time
from typing import Any

import pytest
from plugins.kubernetes.agent_gateway_kubernetes.columns import parse_columns, show_columns, sort_objects
from plugins.kubernetes.agent_gateway_kubernetes.grammar.projections import is_template, shows_whole_objects
from plugins.kubernetes.agent_gateway_kubernetes.paths import render
from plugins.kubernetes.agent_gateway_kubernetes.tables import align
from plugins.kubernetes.agent_gateway_kubernetes.template_parser import parse_template
from plugins.kubernetes.agent_gateway_kubernetes.views import view_of
from plugins.kubernetes.agent_gateway_kubernetes.waiting import parse_wish

import agent_gateway as ag

LIST: dict[str, Any] = {
    "items": [
        {
            "metadata": {"name": "web-0", "labels": {"app.kubernetes.io/name": "web"}},
            "spec": {"containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "y:2"}]},
            "status": {"phase": "Running", "restarts": 10, "ready": True},
        },
        {"metadata": {"name": "db-0"}, "spec": {"containers": []}, "status": {"phase": "Failed", "restarts": 9}},
    ]
}


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{.items[*].metadata.name}", "web-0 db-0"),
        (".items[0].metadata.name", "web-0"),
        ("{.items[-1].metadata.name}", "db-0"),
        ("{.items[0:1].metadata.name}", "web-0"),
        ('{range .items[*]}{.metadata.name}{"\\t"}{.status.phase}{"\\n"}{end}', "web-0\tRunning\ndb-0\tFailed\n"),
        ("{range .items[*]}{range .spec.containers[*]}{.name}={.image} {end};{end}", "a=x:1 b=y:2 ;;"),
        ('{.items[?(@.status.phase=="Failed")].metadata.name}', "db-0"),
        ("{.items[?(@.status.restarts>9)].metadata.name}", "web-0"),
        ("{.items[?(@.status.ready==true)].metadata.name}", "web-0"),
        ("{.items[?(@.status.ready)].metadata.name}", "web-0"),
        ("{.items[?(@.status.phase!='Failed')].metadata.name}", "web-0"),
        (r"{.items[0].metadata.labels.app\.kubernetes\.io/name}", "web"),
        ("{.items[0].metadata.labels['app.kubernetes.io/name']}", "web"),
        ("{.items[0].metadata['name','nothing']}", "web-0"),
        ("{..image}", "x:1 y:2"),
        ("{.items[0].spec.containers[0]}", '{"name":"a","image":"x:1"}'),
        ("{.items[0].status.restarts}", "10"),
        ("{.nothing.at.all}", ""),
        ("{$.items[0].status.ready}", "true"),
        ("name: {.items[1].metadata.name}!", "name: db-0!"),
        ("{'{'}{.items[1].metadata.name}{'}'}", "{db-0}"),
    ],
)
def test_a_template_is_filled_in(template: str, shown: str) -> None:
    assert render(parse_template(template), LIST) == shown


@pytest.mark.parametrize(
    "template",
    [
        "{range .items[*]}{.metadata.name}",
        "{.a}{end}",
        "{.a",
        "a}",
        "{.items[?(@.a=~'x')]}",
        "{.items[?(len(@.a)>1)]}",
        "{.a[(@.length-1)]}",
        "{.a b}",
        '{.items[?(@.status.phase>="F")].metadata.name}',
        "{.items[?(@.status.phase<'F')].metadata.name}",
        "{." + "a" * 3000 + "}",
    ],
)
def test_what_is_not_understood_is_refused(template: str) -> None:
    with pytest.raises(ag.InvalidInput):
        render(parse_template(template), LIST)


def test_a_path_that_finds_too_much_is_given_up() -> None:
    wide = {"a": [{"a": [{"a": list(range(100))} for _ in range(100)]} for _ in range(100)]}
    with pytest.raises(ag.InvalidInput, match="too many"):
        render(parse_template("{.a[*].a[*].a[*]}"), wide)


def a_list(number: int) -> dict[str, Any]:
    """As many pods."""
    container = {"name": "c", "env": [{"name": f"E{each}", "value": "v"} for each in range(20)]}
    return {
        "items": [{"metadata": {"name": f"p{each}"}, "spec": {"containers": [container]}} for each in range(number)]
    }


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{..*}" * 90, "too many values|longer than"),
        ("{..metadata}" * 90, "too many values"),
        ("{range ..*}{range ..*}{range ..*}{..*}{end}{end}{end}", "too many values|longer than"),
        ("{range ..*}{range ..*}{..nothing}{end}{end}", "too many values"),
        ("{range ..*}" * 40 + "x" + "{end}" * 40, "too many values"),
        ("{..[?(@.a)]}" * 90, "too many values"),
        ("{..['" + "','".join("abcdefgh") + "']}" + "{..x}" * 90, "too many values"),
        ("{range ..*}{.}{end}", "longer than"),
        ("{.}" * 90, "longer than"),
        ("{.a}" * 101, "may have 100"),
        ("{range .a}" * 101 + "{end}" * 101, "may have 100"),
    ],
)
def test_one_budget_holds_for_a_whole_template(template: str, why: str) -> None:
    whole = a_list(300)
    begun = time.process_time()
    with pytest.raises(ag.InvalidInput, match=why):
        render(parse_template(template), whole)
    assert time.process_time() - begun < 10


def test_columns_and_sorting_have_a_budget_too() -> None:
    objects = [a_list(40) for _ in range(30)]
    with pytest.raises(ag.InvalidInput, match="too many values"):
        show_columns(parse_columns(",".join(f"C{each}:..nothing" for each in range(20))), objects)
    with pytest.raises(ag.InvalidInput, match="too many values"):
        sort_objects(objects, "..*..*")
    with pytest.raises(ag.InvalidInput, match="longer than"):
        show_columns(parse_columns("A:.items,B:.items,C:..items"), objects)


def test_a_long_cell_does_not_make_every_row_as_long() -> None:
    rows = [["x", "y"] for _ in range(500)]
    assert len(align([*rows, ["z" * 500_000, "y"]])) < 600_000


@pytest.mark.parametrize("text", ["{" + '"' * 2000, '{"' + '"{}' * 600, "{" + '"}{' * 600])
def test_a_row_of_quotes_is_read_at_once(text: str) -> None:
    begun = time.process_time()
    is_template(text)
    shows_whole_objects(f"jsonpath={text}")
    assert time.process_time() - begun < 1


def with_password(name: str, password: str) -> dict[str, Any]:
    """A pod with a secret, in the ways in which there are some."""
    container = {"name": "a", "env": [{"name": "DB_PASSWORD", "value": password}]}
    values = {"auth": {"password": password, "apiToken": [password]}, "url": f"postgres://u:{password}@db/x"}
    return {"metadata": {"name": name}, "spec": {"containers": [container], "values": values}}


@pytest.mark.parametrize(
    "path",
    [
        ".spec.containers[0].env[0].value", ".spec.values.auth.password", ".spec.values.auth.apiToken",
        ".spec.values.url", ".spec.values", ".spec.containers[0].env[?(@.name=='DB_PASSWORD')].value",
    ],
)  # fmt: skip
def test_a_hidden_value_is_neither_shown_nor_compared_nor_an_order(path: str) -> None:
    pods = [with_password("one", "zUnter42x"), with_password("two", "aUnter42x")]
    assert [each["metadata"]["name"] for each in sort_objects(pods, path)] == ["one", "two"]
    assert [each["metadata"]["name"] for each in sort_objects(pods[::-1], path)] == ["two", "one"]
    for output in (f"jsonpath={{.items[*]{path}}}", f"custom-columns=A:{path}"):
        shown = view_of(output)(pods, False)
        assert "Unter42" not in shown
        assert "redacted" in shown
    for text in ("zUnter42x", "postgres://u:zUnter42x@db/x"):
        assert not parse_wish(f"jsonpath={{{path}}}={text}")(pods[0])


def test_a_filter_does_not_tell_a_hidden_value() -> None:
    pod = with_password("one", "zUnter42x")
    for condition in ('.value=="zUnter42x"', ".value!='[redacted]'"):
        path = f".spec.containers[0].env[?(@{condition})].name"
        assert not parse_wish(f"jsonpath={{{path}}}")(pod)
        assert view_of(f"jsonpath={{{path}}}")([pod], True) == ""
    assert parse_wish("jsonpath={.metadata.name}=one")(pod)


def test_columns_are_aligned_and_say_what_is_missing() -> None:
    spec = "NAME:.metadata.name,IMAGES:.spec.containers[*].image,READY:{.status.ready}"
    assert show_columns(parse_columns(spec), LIST["items"]).splitlines() == [
        "NAME    IMAGES    READY",
        "web-0   x:1,y:2   true",
        "db-0    <none>    <none>",
    ]
    assert show_columns(parse_columns("N:.metadata['name','x']"), LIST["items"], headers=False) == "web-0\ndb-0"


@pytest.mark.parametrize("spec", ["", "NAME", ":.a", "NAME:", "A:.a," * 30])
def test_a_spec_that_names_no_columns_is_refused(spec: str) -> None:
    with pytest.raises(ag.InvalidInput):
        show_columns(parse_columns(spec), LIST["items"])


def test_objects_are_sorted_by_number_and_by_text() -> None:
    def names(path: str) -> list[str]:
        return [each["metadata"]["name"] for each in sort_objects(LIST["items"], path)]

    assert names(".status.restarts") == ["db-0", "web-0"]
    assert names("{.metadata.name}") == ["db-0", "web-0"]
    assert names(".status.phase") == ["db-0", "web-0"]
    assert names(".status.ready") == ["db-0", "web-0"]
