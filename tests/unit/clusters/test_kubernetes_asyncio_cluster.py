"""Requests to an API server: what is sent, what is read, and what a server that misbehaves comes to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from tests.loopback import serving

from agent_gateway.clusters import open_clusters
from agent_gateway.clusters.kubernetes_asyncio_cluster import KubernetesAsyncioCluster
from agent_gateway.config.clusters import ClustersSettings
from agent_gateway.errors import InvalidInput, Unavailable
from agent_gateway.interfaces import ApiRequest

PODS = "/api/v1/namespaces/apps/pods"


class Api(BaseHTTPRequestHandler):
    """Answers by path; `seen` is what came."""

    seen: list[dict[str, Any]]
    tokens: set[str]
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append({"line": f"{self.command} {self.path}", "body": body, **dict(self.headers.items())})
        if self.headers["Authorization"] not in self.tokens:
            self.reply(401, b"{}")
        elif self.path == "/elsewhere":
            self.reply(302, b"", Location="http://127.0.0.1:9/")
        elif self.path == "/slow":
            time.sleep(0.6)
            self.reply(200, b"late")
        elif self.path == "/long":
            self.reply(200, b"x" * 1_000_000)
        elif self.path == "/watch":
            self.send_response(200)
            self.end_headers()
            for number in range(100):
                self.wfile.write(b"%d\n" % number)
                self.wfile.flush()
                time.sleep(0.1)
        else:
            self.reply(404 if self.path == "/missing" else 200, b'{"ok": true}')

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = answer  # noqa: N815 - the library's names

    def log_message(self, *_args: Any) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True


@pytest.fixture
def api() -> Iterator[tuple[str, type[Api]]]:
    handler = type("OneApi", (Api,), {"seen": [], "tokens": {"Bearer first"}})
    with serving(handler) as address:
        yield address, handler


def cluster_at(folder: Path, address: str) -> KubernetesAsyncioCluster:
    (folder / "token").write_text("first\n")
    content = {
        "clusters": [{"name": "c", "cluster": {"server": address}}],
        "users": [{"name": "u", "user": {"tokenFile": "token"}}],
        "contexts": [{"name": "air", "context": {"cluster": "c", "user": "u"}}],
    }
    (folder / "config").write_text(json.dumps(content))
    return open_clusters(ClustersSettings(kubeconfig=folder / "config"), {}).get()


async def test_a_request_is_sent_as_it_was_built(tmp_path: Path, api: tuple[str, type[Api]]) -> None:
    cluster = cluster_at(tmp_path, api[0] + "/prefix/")
    request = ApiRequest(
        method="PATCH", path=f"{PODS}/a b", query=(("x", "1&y=2"), ("x", "ö")), body=b"{}",
        content_type="application/merge-patch+json", accept="application/json;as=Table;v=v1;g=meta.k8s.io",
    )  # fmt: skip
    answer = await cluster.send(request)
    await cluster.close()
    (seen,) = api[1].seen
    assert seen["line"] == f"PATCH /prefix{PODS}/a%20b?x=1%26y%3D2&x=%C3%B6"
    assert (seen["body"], seen["Content-Type"], seen["Accept"]) == (b"{}", request.content_type, request.accept)
    assert seen["Authorization"] == "Bearer first"
    assert (answer.status, answer.body, answer.content_type) == (200, b'{"ok": true}', "application/json")


async def test_an_error_status_is_an_answer_and_a_redirect_is_not_followed(
    tmp_path: Path, api: tuple[str, type[Api]]
) -> None:
    cluster = cluster_at(tmp_path, api[0])
    assert (await cluster.send(ApiRequest(method="GET", path="/missing"))).status == 404
    assert (await cluster.send(ApiRequest(method="GET", path="/elsewhere"))).status == 302
    await cluster.close()


async def test_a_long_answer_is_cut(tmp_path: Path, api: tuple[str, type[Api]]) -> None:
    cluster = cluster_at(tmp_path, api[0])
    assert len((await cluster.send(ApiRequest(method="GET", path="/long"), limit=1000)).body) == 1000
    assert (await cluster.send(ApiRequest(method="GET", path="/fine"), limit=1000)).status == 200
    await cluster.close()


async def test_a_new_token_is_read_when_the_old_one_is_refused(tmp_path: Path, api: tuple[str, type[Api]]) -> None:
    cluster = cluster_at(tmp_path, api[0])
    assert (await cluster.send(ApiRequest(method="GET", path="/a"))).status == 200
    api[1].tokens = {"Bearer second"}
    assert (await cluster.send(ApiRequest(method="POST", path="/a", body=b"1"))).status == 401
    assert len(api[1].seen) == 2  # the same token is not tried again
    (tmp_path / "token").write_text("second")
    assert (await cluster.send(ApiRequest(method="POST", path="/a", body=b"1"))).status == 200
    await cluster.close()


async def test_a_silent_or_missing_server_is_unavailable(tmp_path: Path, api: tuple[str, type[Api]]) -> None:
    cluster = cluster_at(tmp_path, api[0])
    with pytest.raises(Unavailable, match="did not answer in time") as caught:
        await cluster.send(ApiRequest(method="GET", path="/slow"), timeout=0.2)
    assert caught.value.code == "cluster_unreachable"
    await cluster.close()
    gone = cluster_at(tmp_path, "http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="cannot connect"):
        await gone.send(ApiRequest(method="GET", path="/version"))
    await gone.close()


async def test_a_watch_ends_when_its_time_is_over(tmp_path: Path, api: tuple[str, type[Api]]) -> None:
    cluster = cluster_at(tmp_path, api[0])
    begun = time.monotonic()
    read = b"".join([each async for each in cluster.stream(ApiRequest(method="GET", path="/watch"), timeout=0.5)])
    assert read.startswith(b"0\n1\n")
    assert time.monotonic() - begun < 3
    with pytest.raises(Unavailable, match="404"):
        _ = [each async for each in cluster.stream(ApiRequest(method="GET", path="/missing"), timeout=1)]
    await cluster.close()


@pytest.mark.parametrize("path", ["pods", "/api/../secrets", "/api//v1", "/api/./v1", "/api/v1/"])
async def test_a_path_that_would_leave_its_place_is_not_sent(
    tmp_path: Path, api: tuple[str, type[Api]], path: str
) -> None:
    cluster = cluster_at(tmp_path, api[0])
    with pytest.raises(InvalidInput):
        await cluster.send(ApiRequest(method="GET", path=path))
    assert api[1].seen == []
    await cluster.close()


async def test_what_would_end_the_path_is_encoded(tmp_path: Path, api: tuple[str, type[Api]]) -> None:
    cluster = cluster_at(tmp_path, api[0])
    await cluster.send(ApiRequest(method="GET", path=f"{PODS}/a?b#c%2Fd"))
    await cluster.close()
    assert api[1].seen[0]["line"] == f"GET {PODS}/a%3Fb%23c%252Fd"
