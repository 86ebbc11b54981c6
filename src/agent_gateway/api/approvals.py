"""`/v1/approvals`: what waits for a human, and the decision."""

from __future__ import annotations

import msgspec
from litestar import get, post
from litestar.params import FromPath

from agent_gateway.api.auth.principals import Principal
from agent_gateway.api.documentation import APPROVERS, JSON_ERRORS, READERS, Endpoint, described
from agent_gateway.api.identifiers import check_id
from agent_gateway.api.replies import Sendable, reply
from agent_gateway.api.requests import Call, body_of, edge_of, persona_of, principal_of
from agent_gateway.api.shapes import ApprovalList, ApprovalsQuery, DecisionRequest
from agent_gateway.approval import Approval
from agent_gateway.errors import InvalidInput, NotFound
from agent_gateway.interfaces import ApprovalDecision, ApprovalQuery

_DECODER = msgspec.json.Decoder(DecisionRequest)
_LIST = Endpoint(summary="List approvals", query=ApprovalsQuery, reply=ApprovalList, errors=(400,), roles=READERS)
_DECIDE = Endpoint(
    summary="Decide on an approval",
    body=DecisionRequest,
    reply=Approval,
    errors=(*JSON_ERRORS, 404, 409),
    roles=APPROVERS,
)


@get("/v1/approvals", opt=described(get=_LIST))
async def list_approvals(request: Call) -> Sendable:
    """List what this persona asked: an approver sees all of it, everybody else what was asked for them."""
    try:
        query = msgspec.convert(dict(request.query_params), ApprovalsQuery, strict=False)
    except msgspec.ValidationError as exc:
        raise InvalidInput(f"{str(exc)[:300]}.") from None
    principal = principal_of(request)
    found = await edge_of(request).approvals.list(
        ApprovalQuery(
            persona=persona_of(request).id,
            requester="" if "approver" in principal.roles else principal.owner,
            pending=query.status == "pending",
            limit=int(query.limit),
        )
    )
    return reply(ApprovalList(approvals=tuple(found)))


@post("/v1/approvals/{approval_id:str}", status_code=200, opt=described(post=_DECIDE))
async def decide(request: Call, approval_id: FromPath[str]) -> Sendable:
    """Approve or reject one call, once; the turn that waits for it goes on."""
    body = await body_of(request, _DECODER)
    principal, persona, approvals = principal_of(request), persona_of(request), edge_of(request).approvals
    approval = await approvals.get(check_id(approval_id, "approval"))
    if approval.persona != persona.id or not may_see(principal, approval):
        raise NotFound(f"there is no approval {approval_id!r}", code="approval_not_found")
    decision = ApprovalDecision(
        decision=body.decision,
        by=principal.owner,
        comment=body.comment or "",
        differs=persona.policy.approver_differs and body.decision == "approve",
    )
    return reply(await approvals.decide(approval.id, decision))


def may_see(principal: Principal, approval: Approval) -> bool:
    """Whether somebody may know of an approval: who asked, and every approver."""
    return principal.owner == approval.requester or "approver" in principal.roles
