"""Calls that change something, or that a human must decide on: prepared, decided, made once, and looked up again.

Each effect has an intent row before it, and an outcome row after. Between the two nobody knows, and the world is asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
import structlog

from agent_gateway.approval import Approval, EffectRecord, effect_key
from agent_gateway.errors import Conflict, GatewayError, Unavailable
from agent_gateway.interfaces import Approvals, Audit, Context, Journal
from agent_gateway.policy.border import TimedOut, cross
from agent_gateway.policy.canonical import digest_of, new_approval_id, plain_arguments
from agent_gateway.policy.gate import Asker, Gate
from agent_gateway.policy.output import Excerpt, clean
from agent_gateway.policy.wording import NO_DECISION, describe_call, show_error, tell_refusal, tell_verification
from agent_gateway.redaction import redact
from agent_gateway.tool import (
    Outcome,
    Preview,
    ResultStatus,
    Tool,
    ToolCall,
    ToolResult,
    Verdict,
    Verification,
    Warrant,
    given_to,
)

T = TypeVar("T")
#: How long the world may take to answer whether an effect has happened, after a call that may have used up its time.
_VERIFY_SECONDS = 20.0
_ANOTHER = "Not done: another call was asked for under this name."

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Records:
    """Where what is asked, decided and done is kept; an approval is good for `expire_seconds`."""

    approvals: Approvals
    journal: Journal
    audit: Audit
    expire_seconds: float = 3600.0


@dataclass(frozen=True)
class Case:
    """A call with arguments of its tool's types, for whom it is made, and how long it may take."""

    tool: Tool
    call: ToolCall
    context: Context
    asker: Asker
    seconds: float

    def named(self) -> dict[str, Any]:
        """Who calls what, for the audit log."""
        names = {"run": self.context.run_id, "call": self.call.id, "tool": self.tool.name}
        return {**names, "persona": self.asker.persona.id, "requester": self.asker.owner}


class Writes:
    """Prepares and makes the calls that are not simply run. `show` makes a tool's output fit to be seen."""

    def __init__(self, records: Records, gate: Gate, show: Callable[[Case, Any], Awaitable[Excerpt]]) -> None:
        self._records = records
        self._gate = gate
        self._show = show
        #: Effects that are going on, also those whose turn was cancelled.
        self._going_on: set[asyncio.Task[ToolResult]] = set()

    async def prepare(self, case: Case, verdict: Verdict) -> ToolResult:
        """Look at what the call would change; where a human must decide, ask. The result is `waiting`, or says why not.

        A call that was prepared before is not looked at again.
        """
        begun = time.perf_counter()
        existing = await self._records.approvals.of_call(case.context.run_id, case.call.id)
        if existing is not None and _differs(case, existing):
            return _result(case, "refused", _ANOTHER, begun)
        if existing is None and verdict.decision == "ask":
            preview = await self._preview(case)
            if isinstance(preview, GatewayError):
                return _result(case, "failed", show_error(case.tool, preview), begun)
            existing = await self._records.approvals.request(self._approval(case, verdict, preview))
        text = "This waits for a human's decision." if existing is not None else "This is about to be done."
        return _result(case, "waiting", text, begun, approval=existing.id if existing is not None else "")

    async def perform(self, case: Case, approval: Approval | None) -> ToolResult:
        """Make the call once: its earlier result if there is one, the world's word if it was begun and never ended."""
        begun = time.perf_counter()
        if approval is not None and _differs(case, approval):
            return _result(case, "refused", _ANOTHER, begun)
        record = await self._records.journal.find(effect_key(case.context.run_id, case.call.id))
        if record is not None:
            return await self._look_up(case, record, approval)
        if approval is not None and approval.status != "approved":
            waits = approval.status == "pending"
            return _result(case, "waiting" if waits else "refused", tell_refusal(approval), begun, approval=approval.id)
        refusal = await self._refuse(case, approval)
        if refusal:
            await self._records.audit.note("call_denied", {**case.named(), "reason": refusal})
            return _result(case, "refused", refusal, begun)
        preview = await self._preview(case) if approval is None else Preview(summary="", targets=approval.targets)
        if isinstance(preview, GatewayError):
            return _result(case, "failed", show_error(case.tool, preview), begun)
        return await self._shield(self._make(case, self._record(case, approval, preview)))

    async def _refuse(self, case: Case, approval: Approval | None) -> str:
        """Why the call may not be made now: the gate is asked again, right before the effect."""
        if approval is not None and digest_of(approval) != approval.digest:
            return "The approval does not belong to this call: what is stored is not what was shown."

        async def decide() -> Verdict:
            return self._gate.decide(case.asker, case.tool, case.call)

        verdict = await cross(decide, case.seconds, case.tool.name)
        if isinstance(verdict, GatewayError):
            return verdict.detail
        if verdict.decision == "deny" or (verdict.decision == "ask" and approval is None):
            return verdict.reason or NO_DECISION
        return ""

    async def _make(self, case: Case, record: EffectRecord) -> ToolResult:
        """The intent row, then the effect."""
        begun = time.perf_counter()
        try:
            first = await self._records.journal.begin(record)
        except Conflict as error:
            return _result(case, "refused", f"Not done: {error.detail}.", begun)
        if not first:
            return _result(case, "refused", "Not done: this very call is being made already.", begun)
        return await self._effect(case, record)

    async def _effect(self, case: Case, record: EffectRecord) -> ToolResult:
        """The effect, then the outcome row."""
        begun = time.perf_counter()
        warrant = _warrant(record)

        async def run() -> Excerpt:
            given = given_to(case.tool.run, context=case.context, warrant=warrant)
            return await self._show(case, await case.tool.run(**case.call.arguments, **given))

        ran = await cross(run, case.seconds, case.tool.name)
        verified = await self._verify(case, warrant)
        outcome, result = _judge(case, ran, verified, begun)
        await self._records.journal.finish(record.key, outcome, result)
        return result

    async def _look_up(self, case: Case, record: EffectRecord, approval: Approval | None) -> ToolResult:
        """The result of a call that was made, or begun, before."""
        begun = time.perf_counter()
        if _differs(case, record):
            return _result(case, "refused", _ANOTHER, begun)
        if record.result is not None:
            return record.result
        log.info("effect_looked_up", key=record.key, tool=record.tool)
        verified = await self._verify(case, _warrant(record))
        if verified is None:
            verified = Verification(outcome="unknown", text="this tool cannot tell whether it has happened")
        repeatable = case.tool.idempotent or case.tool.effect_of(case.call.arguments) == "read"
        if verified.outcome == "not_done" or (verified.outcome == "unknown" and repeatable):
            # Known not to have happened, or harmless to do again: what was approved is still to be done, if it may be.
            refusal = await self._refuse(case, approval) or _tell_late(approval)
            if not refusal:
                return await self._shield(self._effect(case, record))
            await self._records.audit.note("call_denied", {**case.named(), "reason": refusal})
            result = _result(case, "refused", f"The gateway was cut off before this was done. {refusal}", begun)
            await self._records.journal.finish(record.key, verified.outcome, result)
            return result
        status: ResultStatus = "ok" if verified.outcome == "done" and not verified.failed else "failed"
        result = _result(case, status, f"The gateway was cut off meanwhile. {tell_verification(verified)}", begun)
        await self._records.journal.finish(record.key, verified.outcome, result)
        return result

    async def _preview(self, case: Case) -> Preview | GatewayError:
        if case.tool.preview is None:
            return Preview(summary=describe_call(case.call))
        look = case.tool.preview

        async def run() -> Preview:
            return await look(**case.call.arguments, **given_to(look, context=case.context))

        found = await cross(run, case.seconds, case.tool.name)
        if isinstance(found, GatewayError):
            return found
        hide = case.tool.redact
        return msgspec.structs.replace(
            found, summary=redact(clean(found.summary), hide), diff=redact(clean(found.diff), hide)
        )

    async def _verify(self, case: Case, warrant: Warrant) -> Verification | None:
        """What the world says; None when the tool cannot ask it."""
        if case.tool.verify is None:
            return None
        ask = case.tool.verify

        async def run() -> Verification:
            return await ask(**case.call.arguments, **given_to(ask, context=case.context, warrant=warrant))

        found = await cross(run, _VERIFY_SECONDS, case.tool.name)
        if isinstance(found, GatewayError):
            return Verification(outcome="unknown", text=f"it could not be looked up: {show_error(case.tool, found)}")
        return msgspec.structs.replace(found, text=redact(clean(found.text), case.tool.redact))

    async def _shield(self, work: Any) -> ToolResult:
        """Let an effect that has begun come to its end and its outcome row, also when its turn is cancelled."""
        task = asyncio.create_task(work)
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.done():
                await asyncio.wait([task])
            raise

    def _approval(self, case: Case, verdict: Verdict, preview: Preview) -> Approval:
        now = datetime.now(UTC)
        approval = Approval(
            id=new_approval_id(),
            run_id=case.context.run_id,
            call_id=case.call.id,
            persona=case.asker.persona.id,
            requester=case.asker.owner,
            tool=case.tool.name,
            arguments=plain_arguments(case.call),
            effect=case.tool.effect_of(case.call.arguments),
            digest="",
            reason=verdict.reason or f"'{case.tool.name}' needs a human's decision.",
            summary=preview.summary,
            diff=preview.diff,
            targets=preview.targets,
            created_at=_iso(now),
            expires_at=_iso(now + timedelta(seconds=self._records.expire_seconds)),
        )
        return msgspec.structs.replace(approval, digest=digest_of(approval))

    @staticmethod
    def _record(case: Case, approval: Approval | None, preview: Preview) -> EffectRecord:
        return EffectRecord(
            key=effect_key(case.context.run_id, case.call.id),
            run_id=case.context.run_id,
            call_id=case.call.id,
            persona=case.asker.persona.id,
            requester=case.asker.owner,
            tool=case.tool.name,
            arguments=plain_arguments(case.call),
            targets=preview.targets,
            approval=approval.id if approval is not None else "",
            approver=approval.approver if approval is not None else "",
            comment=approval.comment if approval is not None else "",
            begun_at=_iso(datetime.now(UTC)),
        )


def _differs(case: Case, earlier: Approval | EffectRecord) -> bool:
    """Whether a call is another one than was asked for, or begun, under its name."""
    return (earlier.tool, earlier.arguments) != (case.tool.name, plain_arguments(case.call))


def _tell_late(approval: Approval | None) -> str:
    """That an approval is too old to begin with what it allows; empty when it is not."""
    late = approval is not None and datetime.fromisoformat(approval.expires_at) <= datetime.now(UTC)
    return "The time in which it was approved is over." if late else ""


def _warrant(record: EffectRecord) -> Warrant:
    return Warrant(
        key=record.key,
        run_id=record.run_id,
        persona=record.persona,
        requester=record.requester,
        approver=record.approver,
        comment=record.comment,
        targets=record.targets,
    )


def _judge(
    case: Case, ran: Excerpt | GatewayError, verified: Verification | None, begun: float
) -> tuple[Outcome, ToolResult]:
    """What is recorded and told of an effect: the world's word is believed over the tool's.

    What the tool says it could not bring about stays failed, also when the world says that the change was made.
    """
    if isinstance(ran, GatewayError):
        told = f"{show_error(case.tool, ran)}."
        if verified is None:
            outcome: Outcome = "unknown"
            told += " Whether anything was changed is not known."
        else:
            outcome = verified.outcome
            told += f" {tell_verification(verified)}"
        came_about = verified is not None and outcome == "done" and not verified.failed and _leaves_open(ran)
        return outcome, _result(case, "ok" if came_about else "failed", told, begun)
    if verified is None:
        return "done", _result(case, "ok", ran.text, begun, more=ran.more, pages=ran.pages)
    text = f"{ran.text}\n{tell_verification(verified)}"
    status: ResultStatus = "failed" if verified.outcome == "not_done" or verified.failed else "ok"
    return verified.outcome, _result(case, status, text, begun, more=ran.more, pages=ran.pages)


def _leaves_open(error: GatewayError) -> bool:
    """Whether a tool's error says nothing about its effect: no answer, no time, or what nobody foresaw (no code)."""
    return isinstance(error, Unavailable | TimedOut) or error.code == GatewayError.code


def _result(case: Case, status: ResultStatus, text: str, begun: float, **kept: Any) -> ToolResult:
    ms = round((time.perf_counter() - begun) * 1000, 2)
    return ToolResult(call_id=case.call.id, name=case.call.name, status=status, text=text, ms=ms, **kept)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
