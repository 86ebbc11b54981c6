"""What is shown of a call: nothing of its output becomes Markdown."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from agent_gateway.approval import Approval
from agent_gateway.graph.plain.answer import code, fence, tell_call, tell_choice, tell_result
from agent_gateway.graph.plain.choice import Choice
from agent_gateway.tool import ResultStatus, ToolCall, ToolResult

CALL = ToolCall(
    id="c1", name="kubectl", arguments={"command": "kubectl get pods -n web", "manifest": "", "cluster": ""}
)
HOSTILE = [
    "```\n![x](https://evil.example/a.png)\n```",
    "~~~\n[click](javascript:alert(1))",
    "````\n``` `` ` <img src=x onerror=alert(1)>",
    "a\r```\r[x](http://y)",
    "> quote\n\n# title\n\n<script>alert(1)</script>",
    "``````````",
    "`",
]


def result(status: ResultStatus = "ok", text: str = "NAME READY", more: str = "", pages: int = 0) -> ToolResult:
    return ToolResult(call_id="c1", name="kubectl", status=status, text=text, more=more, pages=pages)


def kinds(text: str) -> set[str]:
    tokens = MarkdownIt("commonmark").parse(text)
    return {each.type for token in tokens for each in (token, *(token.children or ()))}


def test_the_call_stands_above_its_output() -> None:
    assert tell_result(CALL, result()) == "`kubectl get pods -n web`\n\n```\nNAME READY\n```"


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_an_output_becomes_markdown(text: str) -> None:
    (token,) = MarkdownIt("commonmark").parse(fence(text))
    assert token.type == "fence"
    assert token.content == text.replace("\r", "\n").rstrip("\n") + "\n"


@pytest.mark.parametrize("status", ["failed", "refused"])
@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_an_error_becomes_markdown(status: ResultStatus, text: str) -> None:
    shown = tell_result(CALL, result(status, text))
    assert "\n" not in shown
    assert kinds(shown) == {"paragraph_open", "inline", "paragraph_close", "code_inline", "text"}


def test_control_characters_are_left_out() -> None:
    assert fence("a\x1b[31mb\u202ec\td") == "```\na[31mbc\td\n```"
    assert fence("") == "```\n(no output)\n```"


def test_code_within_a_line_may_hold_back_ticks() -> None:
    assert code("a ` b") == "``a ` b``"
    assert code("`a`") == "`` `a` ``"


def test_a_cut_is_told() -> None:
    assert "This is page 1 of 3 of the output." in tell_result(CALL, result(more="m1", pages=3))
    assert "output" not in tell_result(CALL, result())


def test_arguments_are_told_in_one_line() -> None:
    assert tell_call("pod_logs", {"name": "api", "lines": 50, "previous": True, "container": ""}) == (
        "`pod_logs` with name `api`, lines `50`, previous `true`"
    )
    assert tell_call("query_loki", {"query": '{a="b"} |= "`"', "since": "2h"}) == '``{a="b"} |= "`"`` (since `2h`)'
    assert tell_call("flux_get", {}) == "`flux_get`"
    assert len(tell_call("git_commit", {"edits": [{"content": "x" * 5000}]})) < 300


def test_what_waits_says_what_would_change_and_how_to_decide() -> None:
    approval = Approval(
        id="ap_7", run_id="r", call_id="c1", persona="auditor", requester="ann", tool="kubectl", arguments={},
        effect="write", digest="d", reason="'kubectl' changes something.", summary="Restart `api`.",
        diff="-a\n+```\n", created_at="2026-01-01T00:00:00Z", expires_at="2026-01-01T01:00:00Z",
    )  # fmt: skip
    waiting = ToolResult(call_id="c1", name="kubectl", status="waiting", text="", approval="ap_7")
    shown = tell_result(CALL, waiting, approval)
    assert "nothing was changed" in shown
    assert "`` Restart `api`. ``" not in shown
    assert "``Restart `api`.``" in shown
    assert "````diff\n-a\n+```\n````" in shown
    assert "`agent-gateway approvals approve ap_7`" in shown
    assert "2026-01-01T01:00:00Z" in shown
    assert "`agent-gateway approvals reject ap_7`" in tell_result(CALL, waiting)


def test_what_is_unclear_says_so() -> None:
    missing = tell_choice(
        Choice(outcome="missing", meaning="restart deployment api", missing="the namespace, like `x`")
    )
    assert missing == "I understood: restart deployment api. Name the namespace, like `x`."
    unsure = tell_choice(Choice(outcome="unsure", offers=("list the pods", "show logs")))
    assert unsure.endswith("I did nothing.\n\nI could:\n\n- list the pods\n- show logs")
    assert "- Look (x)" in tell_choice(Choice(outcome="nothing", offers=("Look (x)",)))
    assert tell_choice(Choice(outcome="nothing")) == ""
