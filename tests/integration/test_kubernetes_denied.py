"""Every command of the corpus, through the executor, with a real API server behind a proxy that writes down."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.kubernetes_cluster import KubernetesCluster
from tests.kubernetes_house import House, a_deployment, deployments, open_house

import agent_gateway as ag

MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: made, namespace: apps}
data: {a: "1"}
"""


@pytest.fixture
async def house(control_plane: KubernetesCluster, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, air=(control_plane, "admin")) as house:
        yield house


@pytest.fixture(scope="module")
def corpus(assets: Path) -> list[dict[str, str]]:
    """Rows of `command` and `decision` (`deny`, `approve`, `read`)."""
    return [json.loads(line) for line in (assets / "kubectl" / "corpus.jsonl").read_text().splitlines()]


def commands(corpus: list[dict[str, str]], decision: str) -> list[str]:
    found = [row["command"] for row in corpus if row["decision"] == decision]
    assert len(found) > 40
    return found


async def test_no_denied_command_reaches_an_api_server(
    house: House, control_plane: KubernetesCluster, corpus: list[dict[str, str]]
) -> None:
    begun = len(control_plane.journal)
    tool = house.tools["kubectl"]
    wrong: list[tuple[str, str]] = []
    for command in commands(corpus, "deny"):
        text = MANIFEST if "-f -" in command else ""
        result = await house.kubectl(command, manifest=text)
        if result.status != "refused" or house.approval is not None:
            wrong.append((command, result.status))
        # Also past the gate: by the tool itself.
        try:
            await tool.run(command=command, manifest=text, context=house.turn(), warrant=None)
        except ag.GatewayError as error:
            if error.code != "command_refused":
                wrong.append((command, error.code))
        else:
            wrong.append((command, "ran"))
    assert wrong == []
    assert control_plane.journal[begun:] == []


async def test_before_an_approval_there_are_only_reads_questions_and_dry_runs(
    house: House, control_plane: KubernetesCluster, corpus: list[dict[str, str]]
) -> None:
    if not control_plane.exists("/api/v1/namespaces/apps"):
        control_plane.create("/api/v1/namespaces", {"metadata": {"name": "apps"}})
        control_plane.create(deployments("apps"), a_deployment())
    begun = len(control_plane.journal)
    waiting = 0
    for command in commands(corpus, "approve"):
        result = await house.kubectl(command, manifest=MANIFEST if "-f -" in command else "")
        assert result.status in {"waiting", "failed"}, (command, result.text)
        waiting += result.status == "waiting"
    assert waiting > 10
    assert [request for request in control_plane.journal[begun:] if not request.harmless] == []


async def test_commands_that_read_only_read(
    house: House, control_plane: KubernetesCluster, corpus: list[dict[str, str]]
) -> None:
    begun = len(control_plane.journal)
    for command in commands(corpus, "read"):
        bounded = command.replace("--timeout=60s", "--timeout=1s").replace("--timeout=30s", "--timeout=1s")
        result = await house.kubectl(bounded)
        assert result.status in {"ok", "failed"}, (command, result.text)
        assert "not known" not in result.text, (command, result.text)
    sent = control_plane.journal[begun:]
    assert [request for request in sent if not request.harmless] == []
    secrets = re.compile(r"/(api/v1|namespaces/[^/]+)/secrets(/|$)")
    assert [request.path for request in sent if secrets.search(request.path)] == []
