"""`approvals approve` succeeds when the call was made and went well, and only then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.unit.cli.conftest import Cli

from agent_gateway.api.shapes import ApprovalReport
from agent_gateway.approval import Approval, EffectRecord
from agent_gateway.cli.deciding import describe
from agent_gateway.tool import Target, ToolResult

APPROVAL = Approval(
    id="a1", run_id="run-1", call_id="c", persona="auditor", requester="key:x", tool="kubectl", arguments={},
    effect="write", digest="d", reason="It changes something.", summary="Restart",
    targets=(Target(name="s/x\x1b]0;pwned\x07"),), created_at="t", expires_at="t", status="spent", approver="local",
)  # fmt: skip


def an_effect(outcome: Any, status: Any, text: str = "so it is") -> EffectRecord:
    result = ToolResult(call_id="c", name="kubectl", status=status, text=text) if status else None
    return EffectRecord(
        key="k", run_id="run-1", call_id="c", persona="auditor", requester="key:x", tool="kubectl", arguments={},
        begun_at="t", outcome=outcome, result=result,
    )  # fmt: skip


Answer = Callable[[EffectRecord | None, str], None]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Call it to say what the gateway reports after a decision."""

    def play(effect: EffectRecord | None, run_status: str) -> None:
        report = ApprovalReport(approval=APPROVAL, effect=effect, run_status=run_status, response="r")
        monkeypatch.setattr("agent_gateway.cli.deciding.reach", lambda *_, **__: report)

    return play


@pytest.mark.parametrize(
    ("effect", "run_status", "code"),
    [
        (an_effect("done", "ok"), "completed", ""),
        (an_effect("done", "ok"), "waiting", ""),  # for the next decision
        (None, "waiting", ""),  # for another decision of the same turn
        (an_effect("done", "failed"), "completed", "call_failed"),
        (an_effect("not_done", "failed"), "completed", "call_failed"),
        (an_effect("not_done", "refused"), "completed", "call_failed"),
        (an_effect("unknown", "ok"), "completed", "call_unknown"),
        (an_effect("", None), "running", "call_unfinished"),
        (None, "running", "call_unfinished"),
        (None, "completed", "call_not_made"),
        (an_effect("done", "ok"), "failed", "run_failed"),
    ],
)
def test_only_what_was_done_and_went_well_is_a_success(
    cli: Cli, answer: Answer, effect: EffectRecord | None, run_status: str, code: str
) -> None:
    answer(effect, run_status)
    done = cli("approvals", "approve", "a1", "--json")
    assert done.code == (1 if code else 0)
    assert done.json["approval"]["id"] == "a1"
    assert (msgspec.json.decode(done.err)["error"]["code"] if done.err else "") == code


@pytest.mark.parametrize("arguments", [("reject", "a1"), ("approve", "a1", "--wait", "0"), ("show", "a1")])
def test_a_decision_that_is_only_passed_on_has_succeeded(cli: Cli, answer: Answer, arguments: tuple[str, ...]) -> None:
    answer(None, "running")
    assert cli("approvals", *arguments).code == 0


def test_who_decides_is_shown_every_argument_whole() -> None:
    manifest = "kind: ConfigMap\ndata: {a: we\u200bb}\n"
    given = {"target": "x" * 2000, "manifest": manifest, "count": 3}
    shown = describe(msgspec.structs.replace(APPROVAL, arguments=given))
    assert f'  target: "{"x" * 2000}"' in shown
    assert shown[shown.index("  manifest:") :][1:3] == ["    kind: ConfigMap", "    data: {a: we\\u200bb}"]
    assert "  count: 3" in shown


def test_what_a_server_calls_itself_does_not_reach_the_terminal(cli: Cli, answer: Answer) -> None:
    answer(an_effect("done", "ok", "all\x1b[2J\u202ewell"), "completed")
    shown = cli("approvals", "approve", "a1").out
    assert "on s/x\\u001b]0;pwned\\u0007\n" in shown
    assert "all\\u001b[2J\\u202ewell" in shown
