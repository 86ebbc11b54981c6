"""JSONPath templates, custom columns and sorting, over plain objects."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.kubernetes.agent_gateway_kubernetes.columns import show_columns, sort_objects
from plugins.kubernetes.agent_gateway_kubernetes.paths import render

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
    assert render(template, LIST) == shown


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
        "{." + "a" * 3000 + "}",
    ],
)
def test_what_is_not_understood_is_refused(template: str) -> None:
    with pytest.raises(ag.InvalidInput):
        render(template, LIST)


def test_a_path_that_finds_too_much_is_given_up() -> None:
    wide = {"a": [{"a": [{"a": list(range(100))} for _ in range(100)]} for _ in range(100)]}
    with pytest.raises(ag.InvalidInput, match="too many"):
        render("{.a[*].a[*].a[*]}", wide)


def test_columns_are_aligned_and_say_what_is_missing() -> None:
    spec = "NAME:.metadata.name,IMAGES:.spec.containers[*].image,READY:{.status.ready}"
    assert show_columns(spec, LIST["items"]).splitlines() == [
        "NAME    IMAGES    READY",
        "web-0   x:1,y:2   true",
        "db-0    <none>    <none>",
    ]
    assert show_columns("N:.metadata['name','x']", LIST["items"], headers=False) == "web-0\ndb-0"


@pytest.mark.parametrize("spec", ["", "NAME", ":.a", "NAME:", "A:.a," * 30])
def test_a_spec_that_names_no_columns_is_refused(spec: str) -> None:
    with pytest.raises(ag.InvalidInput):
        show_columns(spec, LIST["items"])


def test_objects_are_sorted_by_number_and_by_text() -> None:
    def names(path: str) -> list[str]:
        return [each["metadata"]["name"] for each in sort_objects(LIST["items"], path)]

    assert names(".status.restarts") == ["db-0", "web-0"]
    assert names("{.metadata.name}") == ["db-0", "web-0"]
    assert names(".status.phase") == ["db-0", "web-0"]
    assert names(".status.ready") == ["db-0", "web-0"]
