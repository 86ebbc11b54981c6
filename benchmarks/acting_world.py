"""What the kill benchmark acts on: a real Git server that can kill somebody at a push, and the rows of the database."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.git_server import GitServer

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: user-api
spec:
  replicas: 1
  template:
    spec:
      containers:
        - name: user-api
          image: registry.example.org/user-api:1.0.0
"""
KEY = "Idempotency-Key: "


class KillingGitServer(GitServer):
    """Calls `after_push` once a push is carried out and its answer is not sent yet."""

    after_push: Callable[[], object] | None = None

    def _answer(self, chain: Any, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        answered = list(super()._answer(chain, environ, start))
        if environ["PATH_INFO"].endswith("/git-receive-pack") and self.after_push is not None:
            self.after_push()
        return answered

    def effects(self) -> Counter[str]:
        """How many commits there are of each idempotency key."""
        lines = (line for message in self.messages() for line in message.splitlines())
        return Counter(line.removeprefix(KEY) for line in lines if line.startswith(KEY))


class Rows:
    """The run database of a gateway, looked at from outside while that writes it."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "runs.sqlite3"

    def count(self, query: str, run_id: str) -> int:
        """The number that a query about a run gives."""
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=5)) as connection:
            (found,) = connection.execute(query, (run_id,)).fetchone()
        return int(found)
