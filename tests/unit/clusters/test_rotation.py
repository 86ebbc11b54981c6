"""Certificates that are replaced in place, as kubelets and cert-manager do, are used without a restart."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from agent_gateway.clusters import credentials, open_clusters
from agent_gateway.clusters.kubernetes_asyncio_cluster import KubernetesAsyncioCluster
from agent_gateway.config.clusters import ClustersSettings
from agent_gateway.errors import Unavailable
from agent_gateway.interfaces import ApiRequest

VERSION = ApiRequest(method="GET", path="/version")
WRITE = ApiRequest(method="POST", path="/api/v1/namespaces", body=b"{}")


@dataclass
class Authority:
    """Signs certificates of servers and clients, as files of a folder."""

    folder: Path
    name: str

    def __post_init__(self) -> None:
        self._openssl("req", "-x509", *self._new(self.name), "-out", f"{self.name}.crt", "-days", "2")

    def issue(self, file: str, common_name: str) -> None:
        """Write a key and a certificate, over those that are there."""
        (self.folder / "extensions").write_text("subjectAltName=IP:127.0.0.1")
        self._openssl("req", *self._new(file, common_name), "-out", f"{file}.csr")
        signed = ["-CA", f"{self.name}.crt", "-CAkey", f"{self.name}.key", "-CAcreateserial", "-days", "2"]
        self._openssl("x509", "-req", "-in", f"{file}.csr", *signed, "-extfile", "extensions", "-out", f"{file}.crt")

    def _new(self, file: str, common_name: str = "") -> list[str]:
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        return [*curve, "-keyout", f"{file}.key", "-subj", f"/CN={common_name or file}"]

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)


@dataclass
class Api:
    """An API server that asks for a client's certificate; `seen` are the names in them, `refused` get a 401."""

    authority: Authority
    seen: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    arrived: threading.Event = field(default_factory=threading.Event)
    hold: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.folder = self.authority.folder
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.load_verify_locations(self.folder / "ours.crt")
        self.renew()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._answers())
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that is not let in is none
        self.server.socket = self.context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )

    def renew(self) -> None:
        """Use the certificate that is there now."""
        self.context.load_cert_chain(self.folder / "server.crt", self.folder / "server.key")

    def _answers(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                certificate: Any = self.connection.getpeercert()
                name = dict(part[0] for part in certificate["subject"])["commonName"]
                api.seen.append(name)
                api.arrived.set()
                if self.path == "/slow":
                    api.hold.wait(10)
                self.send_response(401 if name in api.refused else 200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_GET = do_POST = answer  # noqa: N815 - the library's names

            def log_message(self, *_args: Any) -> None:
                pass

        return Answers


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    ours = Authority(tmp_path, "ours")
    ours.issue("server", "127.0.0.1")
    ours.issue("client", "old")
    (tmp_path / "ca.crt").write_bytes((tmp_path / "ours.crt").read_bytes())
    api = Api(ours)
    thread = threading.Thread(target=api.server.serve_forever, args=(0.05,))
    thread.start()
    yield api
    api.hold.set()
    api.server.shutdown()
    thread.join()
    api.server.server_close()


def cluster_of(api: Api) -> KubernetesAsyncioCluster:
    server = f"https://127.0.0.1:{api.server.server_address[1]}"
    content = {
        "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority": "ca.crt"}}],
        "users": [{"name": "u", "user": {"client-certificate": "client.crt", "client-key": "client.key"}}],
        "contexts": [{"name": "air", "context": {"cluster": "c", "user": "u"}}],
    }
    (api.folder / "config").write_text(json.dumps(content))
    return open_clusters(ClustersSettings(kubeconfig=api.folder / "config"), {}).get()


async def test_a_refused_certificate_is_read_again(api: Api) -> None:
    cluster = cluster_of(api)
    assert (await cluster.send(VERSION)).status == 200
    api.refused.add("old")
    assert (await cluster.send(WRITE)).status == 401
    assert api.seen == ["old", "old"]  # the same certificate is not tried again
    api.authority.issue("client", "new")
    assert (await cluster.send(WRITE)).status == 200
    assert api.seen == ["old", "old", "old", "new"]
    await cluster.close()


async def test_a_new_certificate_is_used_before_the_old_one_is_refused_and_cuts_no_request(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = cluster_of(api)
    slow = asyncio.create_task(cluster.send(ApiRequest(method="GET", path="/slow")))
    assert await asyncio.to_thread(api.arrived.wait, 10)
    api.authority.issue("client", "new")
    monkeypatch.setattr(credentials, "_FRESH_SECONDS", 0.0)
    assert (await cluster.send(VERSION)).status == 200
    assert api.seen == ["old", "new"]
    api.hold.set()
    assert (await slow).status == 200
    await cluster.close()


@pytest.mark.parametrize("request_", [VERSION, WRITE], ids=["read", "write"])
async def test_a_new_authority_is_read_when_the_server_shows_its_certificate(api: Api, request_: ApiRequest) -> None:
    theirs = Authority(api.folder, "theirs")
    theirs.issue("server", "127.0.0.1")
    api.renew()
    cluster = cluster_of(api)
    with pytest.raises(Unavailable, match="certificate is not the expected one"):
        await cluster.send(request_)
    (api.folder / "ca.crt").write_bytes((api.folder / "theirs.crt").read_bytes())
    assert (await cluster.send(request_)).status == 200
    assert api.seen == ["old"]
    await cluster.close()


async def test_a_certificate_that_the_connection_is_ended_for_is_read_again(api: Api) -> None:
    cluster = cluster_of(api)
    theirs = Authority(api.folder, "theirs")
    theirs.issue("client", "stranger")
    for each in (VERSION, WRITE):
        with pytest.raises(Unavailable):
            await cluster.send(each)
    api.authority.issue("client", "new")
    assert (await cluster.send(VERSION)).status == 200
    assert api.seen == ["new"]
    await cluster.close()
