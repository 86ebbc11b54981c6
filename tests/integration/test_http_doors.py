from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
from tests.live_edge import LiveEdge, ask, live_edge
from tests.memory_gateway import TOKEN

from agent_gateway.api.edge import EdgeSettings
from agent_gateway.interfaces import IngestProgress

AUTHORIZED = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def live() -> AsyncIterator[LiveEdge]:
    async with live_edge() as made:
        yield made


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=20) as made:
        yield made


async def test_each_port_is_its_persona_whatever_the_headers_say(live: LiveEdge, client: httpx.AsyncClient) -> None:
    forged = {"host": f"127.0.0.1:{live.port('bruno')}", "x-forwarded-host": "bruno", "forwarded": "host=bruno"}
    response = await client.get(f"{live.url('mary-kay')}/v1/persona", headers=forged)
    assert response.json() == {
        "id": "mary-kay",
        "title": "Mary Kay",
        "intents": ["query", "chat"],
        "collections": ["customer-docs"],
        "port": live.port("mary-kay"),
    }


async def test_the_gateway_port_has_every_persona_under_its_path(live: LiveEdge, client: httpx.AsyncClient) -> None:
    listed = (await client.get(f"{live.url('gateway')}/personas")).json()["personas"]
    assert [(entry["id"], entry["port"], entry["status"]) for entry in listed] == [
        ("bruno", live.port("bruno"), "ready"),
        ("mary-kay", live.port("mary-kay"), "ready"),
        ("broken", 0, "disabled: the plugin raised at import"),
    ]
    base = f"{live.url('gateway')}{listed[0]['url']}"
    answer = await client.post(f"{base}/v1/chat", json={"message": "hello"})
    assert answer.json()["response"] == "hello"
    followed = await client.get(f"{live.url('gateway')}{answer.headers['location']}/events")
    assert "event: done" in followed.text
    assert (await client.get(f"{base}/livez")).status_code == 200
    assert (await client.get(f"{base}/schema")).json()["servers"] == [{"url": "/personas/bruno"}]
    assert (await client.get(f"{live.url('gateway')}/v1/persona")).status_code == 404


async def test_search_sees_what_the_persona_sees(live: LiveEdge, client: httpx.AsyncClient) -> None:
    sought = {"query": "renew the certificate", "collection": "homelab-docs", "limit": 1}
    found = await client.post(f"{live.url('bruno')}/v1/search", json=sought)
    assert found.json() == {
        "passages": [
            {
                "text": "Renew the certificate with cert-manager.",
                "source": "runbooks/certificates.md",
                "title": "runbooks/certificates.md",
                "chunk": 0,
                "score": 1.0,
            }
        ],
        "answerable": True,
    }
    hidden = await client.post(f"{live.url('mary-kay')}/v1/search", json=sought)
    assert (hidden.status_code, hidden.json()["code"]) == (404, "collection_not_found")


@pytest.mark.parametrize("given", [{}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN}])
async def test_the_control_socket_needs_its_token(
    live: LiveEdge, client: httpx.AsyncClient, given: dict[str, str]
) -> None:
    for method, path in (("GET", "/collections"), ("POST", "/ingest"), ("GET", "/nothing"), ("GET", "/personas")):
        response = await client.request(method, f"{live.url('control')}{path}", headers=given)
        assert (response.status_code, response.json()["code"]) == (401, "unauthorized")


async def test_without_a_token_the_control_socket_lets_nobody_in() -> None:
    async with live_edge(settings=EdgeSettings()) as live:
        response = await ask(live.port("control"), "GET", "/collections", headers="authorization: Bearer \r\n")
    assert response.status == 401


async def test_control_ingests_and_shows_its_progress(
    live: LiveEdge, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    for number in range(3):
        (tmp_path / f"{number}.md").write_text(f"page {number}")
    body = {"path": str(tmp_path), "collection": "pages"}
    ingested = await client.post(f"{live.url('control')}/ingest", json=body, headers=AUTHORIZED)
    steps = [msgspec.json.decode(line, type=IngestProgress) for line in ingested.content.splitlines()]
    assert [(step.files, step.finished) for step in steps] == [(1, False), (2, False), (3, True)]
    listed = (await client.get(f"{live.url('control')}/collections", headers=AUTHORIZED)).json()
    assert {entry["name"]: entry["documents"] for entry in listed}["pages"] == 3
    sought = {"query": "page 2", "collection": "pages"}
    found = await client.post(f"{live.url('control')}/search", json=sought, headers=AUTHORIZED)
    assert found.json()["passages"][0]["source"] == "2.md"
    for status in (204, 404):
        dropped = await client.delete(f"{live.url('control')}/collections/pages", headers=AUTHORIZED)
        assert dropped.status_code == status


async def test_an_ingest_that_fails_says_so_in_its_last_line(live: LiveEdge, client: httpx.AsyncClient) -> None:
    body = {"path": "/nowhere/at/all", "collection": "pages"}
    response = await client.post(f"{live.url('control')}/ingest", json=body, headers=AUTHORIZED)
    assert msgspec.json.decode(response.content)["problem"]["code"] == "path_not_found"


async def test_control_paths_are_not_on_other_ports(live: LiveEdge, client: httpx.AsyncClient) -> None:
    for name in ("bruno", "gateway"):
        response = await client.get(f"{live.url(name)}/collections", headers=AUTHORIZED)
        assert response.status_code == 404


async def test_other_origins_read_nothing_unless_they_are_named(client: httpx.AsyncClient) -> None:
    origin = {"origin": "https://console.example"}
    preflight = {**origin, "access-control-request-method": "POST"}
    async with live_edge() as live:
        closed = await client.get(f"{live.url('bruno')}/v1/persona", headers=origin)
        assert "access-control-allow-origin" not in closed.headers
        refused = await client.options(f"{live.url('bruno')}/v1/chat", headers=preflight)
        assert "access-control-allow-origin" not in refused.headers
    async with live_edge(settings=EdgeSettings(cors_origins=("https://console.example",))) as live:
        opened = await client.get(f"{live.url('bruno')}/v1/persona", headers=origin)
        assert opened.headers["access-control-allow-origin"] == "https://console.example"
        allowed = await client.options(f"{live.url('bruno')}/v1/chat", headers=preflight)
        assert allowed.headers["access-control-allow-origin"] == "https://console.example"
        other = await client.get(f"{live.url('bruno')}/v1/persona", headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers
