from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import msgspec
import pytest
from tests.memory_gateway import MemoryReadiness

from agent_gateway.api.asgi import App, Receive, Scope, Send
from agent_gateway.api.auth.principals import LOCAL, Principal
from agent_gateway.api.edge import Apps
from agent_gateway.api.front import HEAD_LIMIT, Door, Front
from agent_gateway.api.replies import reply

DOORS = {1: Door("persona", "bruno"), 2: Door("gateway"), 3: Door("control"), 4: Door("persona", "ghost")}


class Answered:
    """The response to one request."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    async def __call__(self, message: Any) -> None:
        self.messages.append(dict(message))

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.messages[0]["headers"])

    @property
    def json(self) -> dict[str, Any]:
        body = b"".join(message.get("body", b"") for message in self.messages[1:])
        return msgspec.json.decode(body, type=dict[str, Any])


async def ask(front: Front, port: int, path: str, method: str = "GET", **headers: str) -> Answered:
    answered = Answered()
    scope: Scope = {
        "type": "http",
        "server": ("127.0.0.1", port),
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    await front(scope, _nothing, answered)
    return answered


async def _nothing() -> dict[str, Any]:
    return {"type": "http.disconnect"}


def saying(name: str) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        said = {"app": name, "persona": scope["state"]["persona"], "root": scope["root_path"], "path": scope["path"]}
        await reply(said)(scope, receive, send)

    return app


async def admit(scope: Scope, persona: str) -> Principal:
    del scope, persona
    return LOCAL


def apps_of(app: App | None = None) -> Apps:
    return Apps(
        persona=app or saying("persona"),
        gateway=app or saying("gateway"),
        control=app or saying("control"),
        personas=frozenset({"bruno"}),
        admit=admit,
        admit_control=admit,
    )


@pytest.fixture
def front() -> Front:
    made = Front(DOORS)
    made.attach(apps_of(), MemoryReadiness())
    return made


async def test_the_port_decides_and_no_header_does(front: Front) -> None:
    answered = await ask(front, 1, "/v1/chat", host="mary-kay:9", x_forwarded_host="mary-kay", x_forwarded_port="2")
    assert answered.json == {"app": "persona", "persona": "bruno", "root": "", "path": "/v1/chat"}


async def test_on_the_gateway_port_the_path_decides(front: Front) -> None:
    answered = await ask(front, 2, "/personas/bruno/v1/chat")
    assert answered.json == {
        "app": "persona",
        "persona": "bruno",
        "root": "/personas/bruno",
        "path": "/personas/bruno/v1/chat",
    }
    assert (await ask(front, 2, "/personas")).json["app"] == "gateway"


async def test_on_a_port_of_a_persona_the_path_decides_nothing(front: Front) -> None:
    assert (await ask(front, 1, "/personas/mary-kay/v1/chat")).json["persona"] == "bruno"


async def test_the_control_socket_has_its_own_paths_and_every_persona(front: Front) -> None:
    assert (await ask(front, 3, "/personas/bruno/v1/chat")).json["app"] == "persona"
    assert (await ask(front, 3, "/personas")).json["app"] == "control"
    assert (await ask(front, 3, "/ingest")).json["app"] == "control"


@pytest.mark.parametrize(("port", "path"), [(2, "/personas/nobody/v1/chat"), (2, "/personas//v1"), (4, "/v1/chat")])
async def test_a_persona_that_is_not_served_is_not_found(front: Front, port: int, path: str) -> None:
    answered = await ask(front, port, path)
    assert (answered.status, answered.json["code"]) == (404, "persona_not_found")


async def test_before_the_apps_are_there_only_health_is_answered() -> None:
    front = Front(DOORS)
    alive, ready, other = await ask(front, 1, "/livez"), await ask(front, 1, "/readyz"), await ask(front, 1, "/v1/chat")
    assert (alive.status, alive.json) == (200, {"status": "alive"})
    assert (ready.status, ready.json) == (503, {"status": "starting", "parts": {}})
    assert (other.status, other.json["code"]) == (503, "starting")
    assert other.headers[b"content-type"] == b"application/problem+json"
    assert all(answered.headers[b"retry-after"] for answered in (ready, other))


async def test_readiness_shows_its_parts_before_the_apps_are_there() -> None:
    answered = await ask(Front(DOORS, MemoryReadiness(ready=False)), 2, "/readyz")
    assert (answered.status, answered.json["parts"]) == (503, {"knowledge": "starting"})


@pytest.mark.parametrize(("port", "path"), [(1, "/readyz"), (2, "/readyz"), (2, "/personas/bruno/readyz")])
async def test_readiness_is_answered_wherever_a_persona_is(front: Front, port: int, path: str) -> None:
    answered = await ask(front, port, path)
    assert (answered.status, answered.json) == (200, {"status": "ready", "parts": {"knowledge": "ready"}})


async def test_health_takes_no_other_method(front: Front) -> None:
    answered = await ask(front, 1, "/livez", method="POST")
    assert (answered.status, answered.headers[b"allow"]) == (405, b"GET, HEAD")


async def test_while_draining_new_work_is_refused_and_reading_is_not(front: Front) -> None:
    front.drain()
    for method in ("POST", "DELETE", "PUT"):
        refused = await ask(front, 1, "/v1/chat", method=method)
        assert (refused.status, refused.json["code"]) == (503, "shutting_down")
        assert int(refused.headers[b"retry-after"]) > 0
    assert (await ask(front, 1, "/v1/runs/1")).status == 200
    ready = await ask(front, 1, "/readyz")
    assert (ready.status, ready.json["status"]) == (503, "draining")
    assert (await ask(front, 1, "/livez")).status == 200


async def test_every_response_carries_the_request_id(front: Front) -> None:
    given = await ask(front, 1, "/v1/chat", x_request_id="mine-1")
    assert given.headers[b"x-request-id"] == b"mine-1"
    made = await ask(front, 4, "/v1/chat", x_request_id="not harmless!")
    assert made.headers[b"x-request-id"].decode() == made.json["request_id"] != "not harmless!"


async def test_headers_beyond_the_limit_are_refused_and_the_connection_ends(front: Front) -> None:
    answered = await ask(front, 1, "/v1/chat", cookie="x" * HEAD_LIMIT)
    assert (answered.status, answered.json["code"]) == (431, "headers_too_large")
    assert answered.headers[b"connection"] == b"close"


async def test_an_app_that_raises_is_answered_as_an_internal_error() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive, send
        raise KeyError("a password")

    front = Front(DOORS)
    front.attach(apps_of(broken), MemoryReadiness())
    answered = await ask(front, 1, "/v1/chat")
    assert (answered.status, answered.json["code"]) == (500, "internal_error")
    assert "password" not in str(answered.json)


async def test_a_response_that_breaks_in_the_middle_is_not_made_to_look_whole() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise KeyError("bug")

    front = Front(DOORS)
    front.attach(apps_of(broken), MemoryReadiness())
    with pytest.raises(KeyError):
        await ask(front, 1, "/v1/chat")


async def test_a_request_that_the_drain_cuts_is_told_so() -> None:
    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive, send
        await asyncio.Event().wait()

    front = Front(DOORS)
    front.attach(apps_of(endless), MemoryReadiness())
    asking = asyncio.create_task(ask(front, 1, "/v1/chat"))
    await asyncio.sleep(0)
    front.drain()
    asking.cancel()
    answered = await asking
    assert (answered.status, answered.json["code"]) == (503, "shutting_down")


def test_the_front_loads_nothing_heavy() -> None:
    check = (
        "import sys, agent_gateway.api.front, agent_gateway.server;"
        "heavy = {'litestar', 'numpy', 'lancedb', 'torch', 'langgraph'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
