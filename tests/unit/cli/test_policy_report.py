"""`policy explain`: a line for each line, and nothing is called."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Cli

PLUGINS = Path(__file__).parents[3] / "plugins"
LINES = {
    '"kubectl get pods -n shop"': "read",
    '"kubectl scale deploy web --replicas=3 -n shop"': "approve",
    '{"command": "kubectl cordon worker-1"}': "approve",
    '"kubectl get secrets"': "deny",
    "": "deny",
    "not json": "deny",
    "7": "deny",
    '"\\ud800"': "deny",
    '{"command": 7}': "deny",
    '{"command": "kubectl get pods", "shell": true}': "deny",
}


@pytest.fixture
def explain(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AGENT_GATEWAY__PLUGINS_DIR", str(PLUGINS))
    return lambda *words: cli("policy", "explain", *words)


def test_a_person_is_told_the_decision_and_why(explain: Any) -> None:
    assert explain("kubectl get pods").out == "read: It only reads.\n"
    assert explain("--tool", "kubectl", "kubectl scale deploy/web --replicas=0").out.startswith("approve: ")
    done = explain("kubectl get secrets", "--json")
    assert json.loads(done.out) == {"decision": "deny", "reason": "Secrets are neither read nor changed."}


def test_other_tools_take_their_arguments_as_json(explain: Any) -> None:
    assert explain("--tool", "flux_suspend", '{"kind": "hr"}').out.startswith("deny: The arguments do not fit")
    unknown = explain("--tool", "kubctl", "kubectl get pods")
    assert (unknown.code, "there is no tool 'kubctl'" in unknown.err) == (1, True)
    assert "no call to explain" in explain().err
    assert "two sources" in explain("--stdin", "kubectl get pods").err


def test_every_line_is_answered_in_order_and_at_once(tmp_path: Path) -> None:
    settings = {"AGENT_GATEWAY__PLUGINS_DIR": str(PLUGINS), "PATH": "/usr/bin:/bin"}
    words = [sys.executable, "-m", "agent_gateway", "policy", "explain", "--tool", "kubectl", "--stdin", "--json"]
    with subprocess.Popen(words, cwd=tmp_path, env=settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        for line, decision in LINES.items():
            running.stdin.write(line.encode() + b"\n")
            running.stdin.flush()
            answer = json.loads(running.stdout.readline())
            assert (line, answer["decision"], bool(answer["reason"])) == (line, decision, True)
        running.stdin.write(b"\xff")
        running.stdin.close()
        assert json.loads(running.stdout.readline())["decision"] == "deny"
        assert running.stdout.read() == b""
    assert running.returncode == 0
    assert list(tmp_path.iterdir()) == []
