"""Every error as `application/problem+json`: one table from kinds of errors to status codes."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
import structlog

from agent_gateway.api.asgi import Headers
from agent_gateway.api.replies import Reply
from agent_gateway.errors import Conflict, Forbidden, GatewayError, InvalidInput, NotFound, StorageFailed, Unavailable

MEDIA_TYPE = b"application/problem+json"

STATUSES: dict[type[GatewayError], int] = {
    InvalidInput: 400,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Unavailable: 503,
    StorageFailed: 503,
    GatewayError: 500,
}

_log = structlog.get_logger(__name__)


class HttpError(GatewayError):
    """An error only HTTP knows, with its status and headers."""

    def __init__(self, status: int, code: str, detail: str, *, hint: str = "", headers: Headers = ()) -> None:
        super().__init__(detail, code=code, hint=hint)
        self.status = status
        self.headers = headers


class ProblemDocument(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An error as RFC 9457 writes it. `code` is stable, `title` is the name of the status, `hint` says what to do."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    hint: str = ""


def status_of(error: GatewayError) -> int:
    """Find the status code of an expected error: that of its nearest kind in the table."""
    if isinstance(error, HttpError):
        return error.status
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def problem(error: Exception, request_id: str) -> Reply:
    """Make the response for an error. One that is no `GatewayError` is a bug: logged in full, shown without detail."""
    if not isinstance(error, GatewayError):
        _log.error("request_failed", exc_info=error)
        error = GatewayError("Something went wrong inside the gateway.", code="internal_error", hint="see its log")
    status = status_of(error)
    document = ProblemDocument(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=error.detail,
        code=error.code,
        hint=error.hint,
        request_id=request_id,
    )
    headers = error.headers if isinstance(error, HttpError) else ()
    if isinstance(error, Unavailable):
        headers = ((b"retry-after", b"%d" % error.retry_after),)
    return Reply(msgspec.json.encode(document), status=status, media_type=MEDIA_TYPE, headers=headers)
