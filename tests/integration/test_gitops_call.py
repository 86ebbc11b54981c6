"""`git_commit` as a turn calls it: through the gate, a human's decision, the journal, and after a crash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from plugins.gitops.agent_gateway_gitops.settings import GitopsSettings, RepositorySettings
from plugins.gitops.agent_gateway_gitops.tools import Repositories
from tests.flux_house import Turn
from tests.git_server import GitServer
from tests.memory_records import MemoryRecords, NoClusters, an_executor

import agent_gateway as ag
from agent_gateway.interfaces import ApprovalDecision
from agent_gateway.plugins.dropin import import_file

RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop}
spec: {values: {image: {tag: "1"}}}
"""
PLUGIN = Path(__file__).parents[2] / "plugins" / "gitops" / "agent_gateway_gitops" / "__init__.py"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    server = GitServer(tmp_path / "apps.git")
    server.commit({"apps/shop.yaml": RELEASE}, "begin")
    with server.running():
        yield server


@pytest.fixture
def git(server: GitServer, tmp_path: Path) -> Iterator[Repositories]:
    settings = RepositorySettings(url=server.url, paths=("apps/*.yaml",))
    found = Repositories(GitopsSettings(repositories={"apps": settings}, cache_dir=tmp_path / "cache"))
    yield found
    found.close()


async def test_a_commit_waits_for_a_human_and_is_made_once_even_after_a_crash(
    server: GitServer, git: Repositories
) -> None:
    tools = {each.name: each for each in git.tools()}
    records = MemoryRecords()
    executor = an_executor(tools, records=records)
    turn = Turn(NoClusters(), tuple(tools), "run-1")
    # As a small model writes it: the list as text, the number as text.
    edits = '[{"app": "shop", "field": "tag", "value": "2"}]'
    call = ag.ToolCall(id="call", name="git_commit", arguments={"message": "Bump shop", "edits": edits})
    waiting = await executor.call(call, turn)
    assert waiting.status == "waiting", waiting.text
    assert server.pushes == 0
    approval = await records.of_call("run-1", "call")
    assert approval is not None
    assert '+spec: {values: {image: {tag: "2"}}}' in approval.diff
    await records.decide(approval.id, ApprovalDecision(decision="approve", by="bob"))
    done = await executor.perform(call, turn)
    assert done.status == "ok", done.text
    assert "Agent-Gateway-Requester: alice\nAgent-Gateway-Approver: bob\n" in server.messages()[0]
    (key,) = records.effects
    records.effects[key] = msgspec.structs.replace(records.effects[key], outcome="", result=None)
    again = await executor.perform(call, turn)
    assert again.status == "ok", again.text
    assert server.pushes == 1


async def test_the_plugin_works_dropped_in(server: GitServer, tmp_path: Path) -> None:
    plugin = import_file("gitops", PLUGIN)
    settings = plugin.register_settings().model_validate(
        {"repositories": {"apps": {"url": server.url, "branch": "main"}}, "cache_dir": str(tmp_path / "cache")}
    )
    tools = {each.name: each for each in plugin.register_tools(settings={"gitops": settings})}
    assert (await tools["git_log"].run())[0]["subject"] == "begin"
    with pytest.raises(ag.Forbidden, match="may not be edited"):
        await tools["git_commit"].preview(message="x", edits=[{"app": "shop", "field": "tag", "value": "2"}])
    plugin.on_shutdown()
