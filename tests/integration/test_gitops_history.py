"""`git_log` and `git_show` over a real Git server, and the plugin as the gateway loads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from plugins.gitops import agent_gateway_gitops as plugin
from plugins.gitops.agent_gateway_gitops.settings import GitopsSettings, RepositorySettings
from plugins.gitops.agent_gateway_gitops.tools import Repositories
from tests.git_server import GitServer

import agent_gateway as ag

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {password: hunter2}\n"


class NoClusters:
    """A gateway without clusters."""

    names = ()

    def get(self, name: str = "") -> ag.Cluster:
        raise ag.NotFound(name)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    server = GitServer(tmp_path / "apps.git")
    server.commit({"apps/web.yaml": "replicas: 1\n", "docs/a.md": "a\n"}, "begin")
    server.commit({"docs/a.md": "b\n"}, "Say it better\n\nAgent-Gateway-Run: run-7\nIdempotency-Key: run-7.call-1\n")
    server.commit({"apps/web.yaml": "replicas: 2\n", "apps/secret.yaml": SECRET}, "Scale web")
    with server.running():
        yield server


@pytest.fixture
def settings(server: GitServer, tmp_path: Path) -> GitopsSettings:
    return GitopsSettings(repositories={"apps": RepositorySettings(url=server.url)}, cache_dir=tmp_path / "cache")


@pytest.fixture
def git(settings: GitopsSettings) -> Iterator[Repositories]:
    found = Repositories(settings)
    yield found
    found.close()


async def test_the_log_tells_who_changed_what_when_and_for_which_run(git: Repositories) -> None:
    newest, middle, oldest = await git.git_log()
    assert [each["subject"] for each in (newest, middle, oldest)] == ["Scale web", "Say it better", "begin"]
    assert newest["files"] == ["apps/secret.yaml", "apps/web.yaml"]
    assert newest["author"] == "Alice"
    assert middle["trailers"] == {"Agent-Gateway-Run": "run-7", "Idempotency-Key": "run-7.call-1"}
    assert "example.org" not in str(newest)


async def test_the_log_is_narrowed_by_path_time_and_number(git: Repositories) -> None:
    assert [each["subject"] for each in await git.git_log(path="docs/")] == ["Say it better", "begin"]
    assert [each["subject"] for each in await git.git_log(path="apps/web.yaml", limit=1)] == ["Scale web"]
    assert len(await git.git_log(since="2h")) == 3
    assert await git.git_log(since="2199-01-01") == []


@pytest.mark.parametrize("options", [{"since": "yesterdayish"}, {"limit": 0}, {"limit": 1000}])
async def test_the_log_says_what_it_does_not_understand(git: Repositories, options: Any) -> None:
    with pytest.raises(ag.InvalidInput):
        await git.git_log(**options)


async def test_a_commit_is_shown_without_secrets(git: Repositories) -> None:
    shown = await git.git_show("HEAD")
    assert "-replicas: 1\n+replicas: 2\n" in shown
    assert "apps/secret.yaml: holds a Secret" in shown
    assert "hunter2" not in shown


async def test_a_commit_is_found_by_the_beginning_of_its_id(git: Repositories) -> None:
    _, middle, oldest = await git.git_log()
    assert "+b\n" in await git.git_show(middle["commit"][:8])
    assert "+++ b/docs/a.md" in await git.git_show(oldest["commit"])
    with pytest.raises(ag.NotFound):
        await git.git_show("0123456789")
    with pytest.raises(ag.InvalidInput):
        await git.git_show("--help")


async def test_only_what_is_new_is_fetched(server: GitServer, git: Repositories) -> None:
    await git.git_log()
    await git.git_log()
    assert server.fetches == 1
    server.commit({"docs/a.md": "c\n"}, "more")
    assert (await git.git_log())[0]["subject"] == "more"
    assert server.fetches == 2


async def test_a_damaged_cache_is_fetched_anew(git: Repositories, tmp_path: Path) -> None:
    await git.git_log()
    for path in (tmp_path / "cache").rglob("*.pack"):
        path.with_suffix(".idx").unlink()
        path.unlink()
    assert len(await git.git_log()) == 3


async def test_doctor_sees_each_repository(server: GitServer, settings: GitopsSettings) -> None:
    (check,) = plugin.register_checks(settings={"gitops": settings})
    found = await check.run(NoClusters())
    assert found.ok
    assert server.url in found.detail
    server.status = 404
    assert not (await check.run(NoClusters())).ok
    (nothing,) = plugin.register_checks(settings={})
    assert (await nothing.run(NoClusters())).ok


async def test_the_tools_are_registered_with_their_effects_and_say_when_there_is_no_repository() -> None:
    commit, log, show = plugin.register_tools(settings={})
    assert (commit.name, log.name, show.name) == ("git_commit", "git_log", "git_show")
    assert [each.effect for each in (commit, log, show)] == ["write", "read", "read"]
    with pytest.raises(ag.NotFound, match="no Git repository is configured"):
        await log.run()
    plugin.on_shutdown()
