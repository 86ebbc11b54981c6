"""A real API server for tests, behind a proxy on loopback that writes down every request."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from agent_gateway.clusters import OpenClusters, open_clusters
from agent_gateway.config.clusters import ClustersSettings

BINARIES_VARIABLE = "KUBEBUILDER_ASSETS"
#: What the control plane knows its users by.
TOKENS = {"admin": "admin-token", "nobody": "nobody-token"}
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "host"})


@dataclass(frozen=True)
class Recorded:
    """A request as it reached the API server."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    headers: Mapping[str, str]

    @property
    def harmless(self) -> bool:
        """Whether it changes nothing: a read, a question about rights, or a dry run."""
        if self.method == "DELETE":
            # The API server looks at the parameters of a deletion only when it has no body.
            return bool(self.body) and self.json().get("dryRun") == ["All"]
        asks = self.path.endswith(("/selfsubjectaccessreviews", "/selfsubjectrulesreviews"))
        return self.method == "GET" or (self.method == "POST" and asks) or self.query.get("dryRun") == "All"

    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


@dataclass
class KubernetesCluster:
    """A running control plane. `journal` is what went through the proxy, oldest first.

    `meddle`, if set, is called with each request before it is passed on: a test plays another client there.
    """

    folder: Path
    upstream: str
    address: str = ""
    journal: list[Recorded] = field(default_factory=list)
    meddle: Callable[[Recorded], None] | None = None

    def call(self, method: str, path: str, body: Any = None, *, content_type: str = "application/json") -> Any:
        """Ask the API server itself, as its administrator, past the proxy; raises for an error status."""
        status, _, answer = self._exchange(method, path, json.dumps(body).encode() if body is not None else b"",
            {"Authorization": f"Bearer {TOKENS['admin']}", "Content-Type": content_type})  # fmt: skip
        if status >= 400:
            raise AssertionError(f"{method} {path}: {status} {answer.decode()[:500]}")
        return json.loads(answer)

    def get(self, path: str) -> Any:
        """Read an object."""
        return self.call("GET", path)

    def create(self, collection: str, *objects: Mapping[str, Any]) -> list[Any]:
        """Create objects in a collection, given by its path; a status they hold is set as a controller would."""
        made = []
        for each in objects:
            found = self.call("POST", collection, each)
            if "status" in each:
                path = f"{collection}/{found['metadata']['name']}/status"
                found = self.patch(path, {"status": each["status"]})
            made.append(found)
        return made

    def patch(self, path: str, change: Mapping[str, Any]) -> Any:
        """Merge a change into an object."""
        return self.call("PATCH", path, change, content_type="application/merge-patch+json")

    def exists(self, path: str) -> bool:
        """Whether there is such an object."""
        return self._exchange("GET", path, b"", {"Authorization": f"Bearer {TOKENS['admin']}"})[0] == 200

    def new_namespace(self) -> str:
        """A namespace of a test's own."""
        name = f"t-{uuid.uuid4().hex[:8]}"
        self.create("/api/v1/namespaces", {"metadata": {"name": name}})
        return name

    def _exchange(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        connection = connect(self.upstream)
        try:
            connection.request(method, path, body or None, dict(headers))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()


def connect(upstream: str) -> http.client.HTTPSConnection:
    """A connection to a control plane, whose certificate is its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(urlsplit(upstream).netloc, context=context, timeout=70)


def write_kubeconfig(path: Path, contexts: Mapping[str, tuple[KubernetesCluster, str]]) -> Path:
    """Write a kubeconfig: context -> cluster and user (`admin` or `nobody`), through the proxies."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": next(iter(contexts)),
        "clusters": [{"name": n, "cluster": {"server": c.address}} for n, (c, _) in contexts.items()],
        "users": [{"name": n, "user": {"token": TOKENS[user]}} for n, (_, user) in contexts.items()],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in contexts],
    }
    path.write_text(json.dumps(content))
    return path


def clusters_of(folder: Path, **contexts: tuple[KubernetesCluster, str]) -> OpenClusters:
    """The gateway's own way to clusters, by a kubeconfig in a folder; close it in the end."""
    kubeconfig = write_kubeconfig(folder / "kubeconfig", contexts)
    return open_clusters(ClustersSettings(kubeconfig=kubeconfig, in_cluster=False), {})


@contextmanager
def running_cluster(assets: Path, folder: Path, binaries: Path | None = None) -> Iterator[KubernetesCluster]:
    """Start a control plane and its proxy. Skips where it cannot be had; `binaries` saves unpacking it again."""
    script = assets / "kubernetes" / "control-plane"
    environ = dict(os.environ)
    if binaries is not None:
        environ.setdefault(BINARIES_VARIABLE, str(binaries))
    environ["PATH"] = os.pathsep.join(filter(None, [environ.get(BINARIES_VARIABLE), environ.get("PATH")]))
    if not script.is_file():
        pytest.skip(f"there is no {script}")
    if shutil.which("etcd", path=environ["PATH"]) is None:
        pytest.skip(f"etcd is not installed; install etcd-server, or set {BINARIES_VARIABLE}")
    command = [sys.executable, str(script)]
    started = subprocess.run([*command, "start", str(folder)], env=environ, capture_output=True, text=True, check=False)
    if started.returncode:
        raise AssertionError(f"the control plane did not start: {started.stderr[-500:]}")
    try:
        kubeconfig = json.loads((folder / "kubeconfig").read_text())
        cluster = KubernetesCluster(folder, kubeconfig["clusters"][0]["cluster"]["server"])
        with recording(cluster):
            yield cluster
    finally:
        subprocess.run([*command, "stop", str(folder)], env=environ, check=False, capture_output=True)


@contextmanager
def recording(cluster: KubernetesCluster) -> Iterator[None]:
    """Serve the proxy of a cluster."""

    class Proxy(RecordingProxy):
        target = cluster

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.daemon_threads = True
    cluster.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class RecordingProxy(BaseHTTPRequestHandler):
    """Passes each request on, and its answer back as it comes."""

    target: KubernetesCluster
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def forward(self) -> None:
        """Write the request down and pass it on."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        recorded = Recorded(self.command, parts.path, query, body, dict(self.headers.items()))
        self.target.journal.append(recorded)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        try:
            if self.target.meddle is not None:
                self.target.meddle(recorded)
            self.connection_on.request(self.command, self.path, body or None, headers)
            self._answer(self.connection_on.getresponse())
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def setup(self) -> None:
        """One connection to the API server for each of the client's."""
        super().setup()
        self.connection_on = connect(self.target.upstream)

    def finish(self) -> None:
        """Close both."""
        self.connection_on.close()
        super().finish()

    def _answer(self, answer: http.client.HTTPResponse) -> None:
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        chunked = answer.getheader("Content-Length") is None
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while piece := answer.read1(65_536):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            self.wfile.flush()
        answer.read()
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward  # noqa: N815 - the library's names

    def log_message(self, *_args: Any) -> None:
        """Say nothing: the journal is there."""
