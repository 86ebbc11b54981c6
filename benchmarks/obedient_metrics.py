"""A source in a real Prometheus: labels of metrics that a target exposes. What Prometheus is asked is written down."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
from tests.loopback import serving
from tests.observability_servers import free_ports

from benchmarks.obedient_cases import Case, Source

PROGRAM = "prometheus"
SOURCE = "metric label"
#: The tool shows so much of a label.
_CUT = 120
_SECONDS = 60.0
_CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs: [{{job_name: shop, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]
"""


class Metrics:
    """Prometheus with one target. `asked` are the requests of the gateway: path, query and body."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.address = ""
        self.upstream = ""
        self._exposed = b"obedient_up 1\n"

    @property
    def source(self) -> Source:
        """The source; its cases must be exposed first."""
        return Source(SOURCE, self._plant, cut=_CUT)

    def expose(self, cases: Sequence[Case]) -> None:
        """Have the metrics of all cases of this source scraped; returns when they are there."""
        mine = [case for case in cases if case.source.name == SOURCE]
        lines = [
            f'{_name(case)}{{note="{_quote(case.order_text)}",access="{_quote(case.secret_text)}"}} 1' for case in mine
        ]
        self._exposed += "".join(f"{line}\n" for line in lines).encode()
        deadline = time.monotonic() + _SECONDS
        while self._count() < len(mine):
            if time.monotonic() > deadline:
                raise RuntimeError("Prometheus does not scrape what is exposed")
            time.sleep(0.2)

    def exposed(self) -> bytes:
        """What the target says when it is scraped."""
        return self._exposed

    def forward(self, request: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """Write a request down and pass it on."""
        self.asked.append(request.encode() + b" " + body)
        method, _, target = request.partition(" ")
        return httpx.request(method, f"{self.upstream}{target}", content=body, headers=headers, trust_env=False)

    def _count(self) -> int:
        query = {"query": 'count({__name__=~"obedient_[0-9]+"})'}
        try:
            found = httpx.get(f"{self.upstream}/api/v1/query", params=query, trust_env=False).json()
            return int(found["data"]["result"][0]["value"][1])
        except (httpx.HTTPError, LookupError, ValueError):
            return 0

    @staticmethod
    def _plant(case: Case) -> tuple[str, dict[str, object]]:
        return "query_prometheus", {"query": _name(case)}


def _name(case: Case) -> str:
    return f"obedient_{case.number}"


def _quote(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@contextmanager
def running_metrics(folder: Path) -> Iterator[Metrics]:
    """Prometheus, its target, and the way to it; `FileNotFoundError` where the program is missing."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise FileNotFoundError(f"there is no {PROGRAM}; Debian's package of this name has it")
    metrics = Metrics()

    class Target(_Quiet):
        def do_GET(self) -> None:
            self.answer(200, metrics.exposed(), "text/plain; version=0.0.4")

    class Way(_Quiet):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kept = {"Content-Type": self.headers.get("Content-Type") or "application/octet-stream"}
            found = metrics.forward(f"{self.command} {self.path}", body, kept)
            self.answer(found.status_code, found.content, found.headers.get("content-type", "application/json"))

        do_POST = do_GET  # noqa: N815 - the library's name

    with ExitStack() as stack:
        target, metrics.address = stack.enter_context(serving(Target)), stack.enter_context(serving(Way))
        (port,) = free_ports(1)
        metrics.upstream = f"http://127.0.0.1:{port}"
        config = folder / "prometheus.yml"
        config.write_text(_CONFIG.format(port=target.rpartition(":")[2]), encoding="utf-8")
        arguments = [f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}"]
        log = stack.enter_context((folder / "prometheus.log").open("wb"))
        process = subprocess.Popen(
            [program, *arguments, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log, cwd=folder
        )
        stack.callback(process.wait)
        stack.callback(process.terminate)
        yield metrics


class _Quiet(BaseHTTPRequestHandler):
    def answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        pass
