"""Settings of the repositories, and the rules about paths and secrets."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from plugins.gitops.agent_gateway_gitops.edits import Edit, parse_edits
from plugins.gitops.agent_gateway_gitops.rules import check_path, is_secret
from plugins.gitops.agent_gateway_gitops.settings import GitopsSettings, RepositorySettings
from plugins.gitops.agent_gateway_gitops.tools import Repositories
from pydantic import ValidationError

import agent_gateway as ag


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ssh://git@example.org/a.git", "token"),
        ("git@example.org:a.git", "token"),
        ("https://alice:secret@example.org/a.git", "username"),
        ("ftp://example.org/a.git", "must begin with"),
        ("https://example.org", "a repository"),
        ("file://relative/a.git", "absolute"),
    ],
)
def test_an_address_that_cannot_work_is_refused_with_what_can(url: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        RepositorySettings(url=url)


@pytest.mark.parametrize(
    "wrong",
    [
        {"branch": "a..b"},
        {"branch": "-x"},
        {"author": "me"},
        {"password_env": "A", "token_file": Path("a")},
        {"paths": ["apps/[a"]},
    ],
)
def test_other_mistakes_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RepositorySettings.model_validate({"url": "https://example.org/a.git", **wrong})


def test_the_repository_is_the_named_one_the_default_or_the_only_one() -> None:
    one, two = (RepositorySettings(url=f"https://example.org/{name}.git") for name in ("one", "two"))
    assert GitopsSettings(repositories={"one": one}).choose("")[0] == "one"
    both = GitopsSettings(repositories={"one": one, "two": two})
    assert both.choose("two")[0] == "two"
    assert GitopsSettings(repositories={"one": one, "two": two}, default="two").choose("")[0] == "two"
    with pytest.raises(ag.InvalidInput, match="one, two"):
        both.choose("")
    with pytest.raises(ag.NotFound, match="one, two"):
        both.choose("three")
    with pytest.raises(ValidationError):
        GitopsSettings(default="three")


def test_a_missing_password_is_said(tmp_path: Path) -> None:
    with pytest.raises(ag.Unavailable, match="NO_SUCH_TOKEN"):
        RepositorySettings(url="https://example.org/a.git", password_env="NO_SUCH_TOKEN").password()
    with pytest.raises(ag.Unavailable, match="token"):
        RepositorySettings(url="https://example.org/a.git", token_file=tmp_path / "token").password()


@pytest.mark.parametrize("path", ["apps/a.yaml", "apps/x/a.yaml", "apps/x/y/a.yaml"])
def test_globs_reach_into_folders(path: str) -> None:
    check_path(path, ("apps/**/*.yaml",))


@pytest.mark.parametrize("path", ["a.yaml", "apps/a.yml", "xapps/a.yaml", "apps/a.yaml/b", "apps/a.yamlx"])
def test_globs_reach_no_further(path: str) -> None:
    with pytest.raises(ag.Forbidden):
        check_path(path, ("apps/**/*.yaml",))
    with pytest.raises(ag.Forbidden):
        check_path("apps/a.yaml", ())


@pytest.mark.parametrize(
    "text",
    [
        "spec: {valuesFrom: [{kind: Secret, name: x}]}\n",
        "kind: SecretStore\nmetadata: {name: x}\n",
        "env: [{valueFrom: {secretKeyRef: {name: x, key: y}}}]\n",
    ],
)
def test_a_reference_to_a_secret_is_none(text: str) -> None:
    assert not is_secret("a.yaml", text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "kind: 'Secret'\nmetadata: {}\n",
        "kind: List\nitems: [{kind: Secret, data: {}}]\n",
        "a: 1\nsops: {mac: x}\n",
        "kind: SealedSecret\nmetadata: {}\n",
        "-----BEGIN RSA PRIVATE KEY-----\n",
        "{{ if x }}\nkind: Secret\n{{ end }}\n",
    ],
)
def test_a_secret_is_known_in_every_dress(text: str) -> None:
    assert is_secret("a.yaml", text.encode())


def test_edits_come_as_models_write_them_and_as_they_were_stored() -> None:
    commit = Repositories(GitopsSettings()).tools()[0]
    given = {"message": "a", "edits": [{"app": "web", "field": "tag", "value": "1.20"}]}
    converted = msgspec.to_builtins(msgspec.convert(given, commit.arguments, strict=False))
    assert parse_edits(converted["edits"]) == [Edit(app="web", field="tag", value="1.20")]
    assert parse_edits([Edit(app="web", field="replicas", value=3)]) == [Edit(app="web", field="replicas", value=3)]
    with pytest.raises(ag.InvalidInput):
        parse_edits([])
    with pytest.raises(ag.InvalidInput, match="valu"):
        parse_edits([{"app": "web", "field": "tag", "value": "x", "valu": "x"}])
