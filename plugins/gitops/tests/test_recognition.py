"""Which messages are commits, and which ask for them."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.gitops.agent_gateway_gitops.recognition import (
    recognize_git_commit,
    recognize_git_log,
    recognize_git_show,
)

import agent_gateway as ag


def ask(rest: str, **fields: Any) -> ag.PlainRequest:
    return ag.PlainRequest(text=rest, rest=rest, category="deploy", **fields)


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ("set user-api to 3 replicas", "replicas", 3),
        ("set the replicas of user-api to 3", "replicas", 3),
        ("scale user-api to 3 in git", "replicas", 3),
        ("bump user-api to 1.4.2", "tag", "1.4.2"),
        ("upgrade user-api from 1.4.1 to v1.4.2-rc.1", "tag", "v1.4.2-rc.1"),
        ("deploy user-api 1.4.2", "tag", "1.4.2"),
        (
            "set the image of user-api to registry.lan:5000/team/user-api:1.4.2",
            "image",
            "registry.lan:5000/team/user-api:1.4.2",
        ),
    ],
)
def test_a_change_is_one_edit_and_then_reconciled(words: str, field: str, value: str | int) -> None:
    found = recognize_git_commit(ask(words))
    assert found is not None
    assert found.arguments["edits"] == [{"app": "user-api", "field": field, "value": value}]
    assert str(value) in found.arguments["message"]
    assert found.then == (("flux_reconcile", {"name": "user-api"}),)


@pytest.mark.parametrize(
    "words",
    ["scale user-api to 3", "set deployment user-api to 3 replicas", "bump the docs to 2.0", "set expectations to 3",
     "deploy user-api", "bump user-api", "set user-api to many replicas", "update user-api to the newest version"],
)  # fmt: skip
def test_what_is_the_clusters_or_nobodys_is_not_committed(words: str) -> None:
    assert recognize_git_commit(ask(words)) is None


def test_a_namespace_belongs_to_the_cluster_unless_git_is_named() -> None:
    assert recognize_git_commit(ask("set user-api to 3 replicas", namespace="web")) is None
    assert recognize_git_commit(ask("set user-api to 3 replicas in git", namespace="web")) is not None


def test_what_it_is_must_be_named() -> None:
    found = recognize_git_commit(ask("bump it to 1.4.2"))
    assert found is not None
    assert found.missing


def test_the_log_takes_path_window_and_number() -> None:
    found = recognize_git_log(ask("show the last 5 commits to clusters/air/", seconds=86400))
    assert found is None or found.arguments.get("limit") == 5
    changed = recognize_git_log(ask("what changed in clusters/air/", seconds=86400))
    assert changed is not None
    assert changed.arguments == {"path": "clusters/air", "since": "24h"}
    newest = recognize_git_log(ask("last three commits"))
    assert newest is not None
    assert newest.arguments == {"limit": 3}


@pytest.mark.parametrize(
    "words", ["what changed", "what changed in our policy", "history", "commit this", "history of kubernetes"]
)
def test_a_change_of_something_else_is_not_looked_up(words: str) -> None:
    assert recognize_git_log(ask(words)) is None


def test_a_commit_is_shown_by_its_name() -> None:
    found = recognize_git_show(ask("what did commit 9f1c2ab change"))
    assert found is not None
    assert found.arguments == {"commit": "9f1c2ab"}
    assert recognize_git_show(ask("show commit messages")) is None
