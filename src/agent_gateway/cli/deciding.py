"""`approvals`: lists what waits, shows what would change, and passes a human's decision on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from agent_gateway.api.shapes import ApprovalReport
from agent_gateway.approval import Approval, HumanDecision
from agent_gateway.cli.access import open_gateway
from agent_gateway.cli.control import ControlClient
from agent_gateway.cli.output import Output
from agent_gateway.cli.waiting import StartNotice
from agent_gateway.config import Configuration
from agent_gateway.errors import GatewayError
from agent_gateway.unseen import show_unseen

T = TypeVar("T")

DIM = "dim"
#: Between two looks at a run that goes on.
LOOK_SECONDS = 0.2
GOING_ON = frozenset({"running", "interrupted"})
#: A turn that was told of a decision still says for a moment that it waits.
TAKING_NOTICE_SECONDS = 3.0
_COLUMNS = ("ID", "PERSONA", "TOOL", "ASKED BY", "STATUS", "EXPIRES", "WHAT")


def list_approvals(configuration: Configuration, *, everything: bool, as_json: bool) -> None:
    """Show the approvals, newest first."""
    found = reach(configuration, lambda control: control.approvals(pending=not everything), quiet=as_json)
    output = Output(as_json=as_json)
    if as_json:
        output.document({"approvals": found})
        return
    if not found:
        output.text("Nothing waits for a decision." if not everything else "There are no approvals.")
        return
    rows = [
        (each.id, each.persona, each.tool, each.requester, each.status, each.expires_at, each.summary) for each in found
    ]
    output.table(_COLUMNS, rows)


def show_approval(approval: str, configuration: Configuration, *, as_json: bool) -> None:
    """Show one approval; `NotFound` when there is none."""
    report = reach(configuration, lambda control: control.approval(approval), quiet=as_json)
    show(Output(as_json=as_json), report)


def decide(
    approval: str, decision: HumanDecision, comment: str, configuration: Configuration, *, wait: float, as_json: bool
) -> None:
    """Pass a decision on, and wait for what comes of it; `Conflict` when it was decided before.

    `GatewayError` when an approved call was not made, or came to nothing, or is not known to have been.
    """

    async def work(control: ControlClient) -> ApprovalReport:
        report = await control.decide(approval, decision, comment)
        begun = time.monotonic()
        while goes_on(report, time.monotonic() - begun) and time.monotonic() - begun < wait:
            await asyncio.sleep(LOOK_SECONDS)
            report = await control.approval(approval)
        return report

    report = reach(configuration, work, quiet=as_json)
    show(Output(as_json=as_json), report)
    # Who does not wait wants to have passed a decision on.
    if decision == "approve" and wait:
        require_done(report)


def require_done(report: ApprovalReport) -> None:
    """`GatewayError` unless an approved call was made, went well, and its run did not fail."""
    effect, tool = report.effect, report.approval.tool
    hint = f"see `agent-gateway approvals show {report.approval.id}`"
    result = effect.result if effect is not None else None
    if goes_on(report, TAKING_NOTICE_SECONDS) and result is None:
        raise GatewayError(f"'{tool}' was approved and has not ended yet", code="call_unfinished", hint=hint)
    if effect is None and report.run_status == "waiting":
        # Its turn waits for another decision, too: nothing is wrong yet.
        return
    if effect is None:
        raise GatewayError(f"'{tool}' was approved and not called", code="call_not_made", hint=hint)
    if effect.outcome in {"", "unknown"}:
        raise GatewayError(f"whether '{tool}' has changed anything is not known", code="call_unknown", hint=hint)
    if effect.outcome != "done" or (result is not None and result.status in {"failed", "refused"}):
        raise GatewayError(f"'{tool}' was approved and did not succeed", code="call_failed", hint=hint)
    if report.run_status == "failed":
        raise GatewayError(f"'{tool}' was called, and its turn failed", code="run_failed", hint=hint)


def goes_on(report: ApprovalReport, seconds: float) -> bool:
    """Whether more is to come of a decision that was made so many seconds ago."""
    if report.run_status in GOING_ON:
        return True
    begun = report.effect is not None
    ended = report.effect is not None and report.effect.outcome != ""
    return report.run_status == "waiting" and (not ended if begun else seconds < TAKING_NOTICE_SECONDS)


def reach(configuration: Configuration, work: Callable[[ControlClient], Awaitable[T]], *, quiet: bool) -> T:
    """Do something with the running gateway, or with one that runs meanwhile."""

    async def run() -> T:
        with StartNotice(quiet=quiet) as notice:
            async with open_gateway(configuration, notice) as reached:
                return await work(reached.control)

    return asyncio.run(run())


def show(output: Output, report: ApprovalReport) -> None:
    """Write an approval, and what became of it."""
    if output.as_json:
        output.document(report)
        return
    for line in describe(report.approval):
        output.text(line)
    effect = report.effect
    if effect is not None:
        output.text(f"outcome: {effect.outcome or 'begun, not ended yet'}")
        if effect.result is not None:
            output.text(effect.result.text)
    if report.run_status:
        output.text(f"the turn {report.approval.run_id}: {report.run_status}", style=DIM)


def describe_argument(name: str, value: Any) -> list[str]:
    """An argument as it is, all of it: text of several lines below its name, anything else as JSON."""
    if isinstance(value, str) and "\n" in value:
        return [f"  {name}:", *(f"    {show_unseen(line)}" for line in value.splitlines())]
    return [f"  {name}: {show_unseen(msgspec.json.encode(value).decode())}"]


def describe(approval: Approval) -> list[str]:
    """Say what is asked, of whom, and how it was decided."""
    decided = f" by {approval.approver} at {approval.decided_at}" if approval.approver else ""
    lines = [
        f"{approval.id}: {approval.status}{decided}",
        f"{approval.persona} wants to call {approval.tool} for {approval.requester}, until {approval.expires_at}.",
        f"why it asks: {approval.reason}",
        approval.summary,
    ]
    lines += [f"on {target.name}" for target in approval.targets]
    if approval.arguments:
        lines.append("with:")
    for name, value in approval.arguments.items():
        lines += describe_argument(name, value)
    if approval.diff:
        lines += ["", approval.diff.rstrip("\n"), ""]
    return lines
