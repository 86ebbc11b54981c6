"""`/v1/runs/{id}`: a run, its events, and the two things one can do to it."""

from __future__ import annotations

from litestar import get, post
from litestar.params import FromPath

from agent_gateway.api.documentation import OPERATORS, READERS, Endpoint, described
from agent_gateway.api.identifiers import check_id, last_event_id
from agent_gateway.api.listeners import open_stream
from agent_gateway.api.replies import Sendable, reply
from agent_gateway.api.requests import Call, edge_of, owner_of, persona_of, url
from agent_gateway.messages import Run

_READ = Endpoint(summary="Read a run", roles=READERS, reply=Run, errors=(404,))
_EVENTS = Endpoint(summary="Follow a run's events", roles=READERS, streams="always", resumes=True, errors=(400, 404))
_CANCEL = Endpoint(summary="Stop a running turn", roles=OPERATORS, reply=Run, status=202, errors=(404, 409))
_RESUME = Endpoint(summary="Run an interrupted turn again", roles=OPERATORS, reply=Run, status=202, errors=(404, 409))


@get("/v1/runs/{run_id:str}", opt=described(get=_READ))
async def read_run(request: Call, run_id: FromPath[str]) -> Sendable:
    """Return the run, with its answer once there is one."""
    return reply(await _find(request, run_id))


@get("/v1/runs/{run_id:str}/events", opt=described(get=_EVENTS))
async def follow_run(request: Call, run_id: FromPath[str]) -> Sendable:
    """Send the run's events from the start, or after `Last-Event-ID`: stored ones, then live ones, to the last."""
    after = last_event_id(request.scope)
    return open_stream(request, await _find(request, run_id), after)


@post("/v1/runs/{run_id:str}/cancel", status_code=202, opt=described(post=_CANCEL))
async def cancel_run(request: Call, run_id: FromPath[str]) -> Sendable:
    """Ask a running turn to stop."""
    run = await edge_of(request).runs.cancel(check_id(run_id, "run"), persona_of(request).id, owner_of(request))
    return _accepted(request, run)


@post("/v1/runs/{run_id:str}/resume", status_code=202, opt=described(post=_RESUME))
async def resume_run(request: Call, run_id: FromPath[str]) -> Sendable:
    """Run a turn that was cut again, under its id."""
    run = await edge_of(request).runs.resume(check_id(run_id, "run"), persona_of(request).id, owner_of(request))
    return _accepted(request, run)


async def _find(request: Call, run_id: str) -> Run:
    return await edge_of(request).runs.get(check_id(run_id, "run"), persona_of(request).id, owner_of(request))


def _accepted(request: Call, run: Run) -> Sendable:
    return reply(run, 202, ((b"location", url(request, f"/v1/runs/{run.id}")),))
