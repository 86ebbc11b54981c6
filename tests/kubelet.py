"""A kubelet as far as logs go, played by a test: the API server fetches the logs of pods on its node from it."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.kubernetes_cluster import KubernetesCluster


@dataclass
class Kubelet:
    """`logs`: `namespace/pod/container` -> its lines; `previous` is the same before the last restart."""

    node: str
    logs: dict[str, list[str]] = field(default_factory=dict)
    previous: dict[str, list[str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def answer(self, key: str, query: dict[str, str]) -> bytes | None:
        """The log, within its limits; None when there is none."""
        self.asked.append({"key": key, **query})
        lines = (self.previous if query.get("previous") == "true" else self.logs).get(key)
        if lines is None:
            return None
        tail = int(query.get("tailLines", "0"))
        text = "".join(f"{line}\n" for line in (lines[-tail:] if tail else lines)).encode()
        return text[: int(query.get("limitBytes", len(text)))]


@contextmanager
def running_kubelet(cluster: KubernetesCluster, folder: Path, node: str) -> Iterator[Kubelet]:
    """Serve the logs of a node, and register it."""
    kubelet = Kubelet(node)

    class Logs(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            body = kubelet.answer(parts.path.removeprefix("/containerLogs/"), dict(parse_qsl(parts.query)))
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Logs)
    server.daemon_threads = True
    server.socket = certificate(folder).wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    addresses = [{"type": "InternalIP", "address": "127.0.0.1"}]
    endpoints = {"kubeletEndpoint": {"Port": server.server_address[1]}}
    status = {"addresses": addresses, "daemonEndpoints": endpoints}
    cluster.create("/api/v1/nodes", {"metadata": {"name": node}, "status": status})
    try:
        yield kubelet
    finally:
        cluster.call("DELETE", f"/api/v1/nodes/{node}")
        server.shutdown()
        thread.join()
        server.server_close()


def certificate(folder: Path) -> ssl.SSLContext:
    """A certificate of one's own, as kubelets have."""
    key, pem = folder / "kubelet.key", folder / "kubelet.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", pem], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    return context
