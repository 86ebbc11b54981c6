"""`approvals`: lists what waits, shows what would change, and passes a human's decision on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from agent_gateway.api.shapes import ApprovalReport
from agent_gateway.approval import Approval, HumanDecision
from agent_gateway.cli.access import open_gateway
from agent_gateway.cli.control import ControlClient
from agent_gateway.cli.output import Output
from agent_gateway.cli.waiting import StartNotice
from agent_gateway.config import Configuration

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
    """Pass a decision on, and wait for what comes of it; `Conflict` when it was decided before."""

    async def work(control: ControlClient) -> ApprovalReport:
        report = await control.decide(approval, decision, comment)
        begun = time.monotonic()
        while goes_on(report, time.monotonic() - begun) and time.monotonic() - begun < wait:
            await asyncio.sleep(LOOK_SECONDS)
            report = await control.approval(approval)
        return report

    show(Output(as_json=as_json), reach(configuration, work, quiet=as_json))


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
    if approval.diff:
        lines += ["", approval.diff.rstrip("\n"), ""]
    return lines
