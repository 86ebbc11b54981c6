"""The command line's approvals: all of them, whoever asked, and what became of each."""

from __future__ import annotations

import msgspec
from litestar import get, post
from litestar.params import FromPath

from agent_gateway.api.documentation import APPROVERS, READERS, allowed
from agent_gateway.api.edge import Edge
from agent_gateway.api.identifiers import check_id
from agent_gateway.api.replies import Sendable, reply
from agent_gateway.api.requests import Call, body_of, edge_of, principal_of
from agent_gateway.api.shapes import ApprovalList, ApprovalReport, DecisionRequest
from agent_gateway.approval import effect_key
from agent_gateway.errors import NotFound
from agent_gateway.interfaces import ApprovalDecision, ApprovalQuery

_DECODER = msgspec.json.Decoder(DecisionRequest)


@get("/approvals", opt=allowed(get=READERS))
async def list_all_approvals(request: Call) -> Sendable:
    """List approvals, newest first; `?pending=1` leaves out what is decided."""
    pending = request.query_params.get("pending") == "1"
    found = await edge_of(request).approvals.list(ApprovalQuery(pending=pending))
    return reply(ApprovalList(approvals=tuple(found)))


@get("/approvals/{approval_id:str}", opt=allowed(get=READERS))
async def read_approval(request: Call, approval_id: FromPath[str]) -> Sendable:
    """Return an approval, and what became of it."""
    return reply(await report(edge_of(request), check_id(approval_id, "approval")))


@post("/approvals/{approval_id:str}", status_code=200, opt=allowed(post=APPROVERS))
async def decide_at_once(request: Call, approval_id: FromPath[str]) -> Sendable:
    """Approve or reject one call, once."""
    edge, body = edge_of(request), await body_of(request, _DECODER)
    approval = await edge.approvals.get(check_id(approval_id, "approval"))
    persona = edge.personas.get(approval.persona)
    differs = persona is not None and persona.policy.approver_differs and body.decision == "approve"
    decision = ApprovalDecision(
        decision=body.decision, by=principal_of(request).owner, comment=body.comment or "", differs=differs
    )
    await edge.approvals.decide(approval.id, decision)
    return reply(await report(edge, approval.id))


async def report(edge: Edge, approval_id: str) -> ApprovalReport:
    """Say how an approval, its call and its run stand."""
    approval = await edge.approvals.get(approval_id)
    effect = await edge.journal.find(effect_key(approval.run_id, approval.call_id))
    try:
        run = await edge.runs.get(approval.run_id, approval.persona, approval.requester)
    except NotFound:
        return ApprovalReport(approval=approval, effect=effect)
    response = run.answer.response if run.answer is not None else ""
    return ApprovalReport(approval=approval, effect=effect, run_status=run.status, response=response)
