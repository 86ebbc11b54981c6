"""What the kill benchmark acts on: a real Git server and a real API server, which can kill somebody at a change.

And the rows of the database, to see how far a run has come.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tests.git_server import GitServer
from tests.kubernetes_cluster import KubernetesCluster, Recorded
from tests.kubernetes_house import a_deployment, deployments

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
#: Nobody else has an app of this name, whose Flux objects would have to be reconciled, too.
GIT_APP = "kiln-api"
FILE = f"apps/{GIT_APP}.yaml"
KEY = "Idempotency-Key: "
NAMESPACE, APP = "kills", "api"

Kill = Callable[[], object]


class World(Protocol):
    """Where a change is made, and counted by who made it."""

    name: str

    def message(self, number: int) -> str:
        """What is asked in a round."""
        ...

    def arm(self, before: Kill | None, after: Kill | None) -> None:
        """Call these right before a change is made, and when it is and nobody knows yet."""
        ...

    def made(self) -> int:
        """How many changes were made so far."""
        ...

    def fault(self, number: int) -> str:
        """What is wrong after the round; empty when all is as it was asked for."""
        ...


class KillingGitServer(GitServer):
    """Calls `after_push` once a push is carried out and its answer is not sent yet."""

    name = "Git"
    after_push: Kill | None = None

    def message(self, number: int) -> str:
        """Another number of replicas than in the round before."""
        return f"set {GIT_APP} to {self._replicas(number)} replicas"

    def arm(self, before: Kill | None, after: Kill | None) -> None:
        """As `World` says."""
        self.before_push, self.after_push = before, after

    def made(self) -> int:
        """The commits with an idempotency key."""
        return self.effects().total()

    def fault(self, number: int) -> str:
        """A key that has two commits, or a file that is not as approved."""
        if max(self.effects().values()) > 1:
            return "two commits have one idempotency key"
        right = f"replicas: {self._replicas(number)}\n" in self.files()[FILE]
        return "" if right else "the file is not as it was approved"

    @staticmethod
    def _replicas(number: int) -> int:
        return number % 90 + 2

    def _answer(self, chain: Any, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        answered = list(super()._answer(chain, environ, start))
        if environ["PATH_INFO"].endswith("/git-receive-pack") and self.after_push is not None:
            self.after_push()
        return answered

    def effects(self) -> Counter[str]:
        """How many commits there are of each idempotency key."""
        lines = (line for message in self.messages() for line in message.splitlines())
        return Counter(line.removeprefix(KEY) for line in lines if line.startswith(KEY))


class KillingCluster:
    """A deployment at a real API server; what is asked is to restart it, which its generation counts."""

    name = "Kubernetes"

    def __init__(self, cluster: KubernetesCluster) -> None:
        self._cluster = cluster
        self._before: Kill | None = None
        self._after: Kill | None = None
        cluster.call("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        cluster.create(deployments(NAMESPACE), a_deployment(APP))
        cluster.meddle = self._meddle

    def message(self, number: int) -> str:
        """The same every time."""
        del number
        return f"restart the {APP} deployment in {NAMESPACE}"

    def arm(self, before: Kill | None, after: Kill | None) -> None:
        """As `World` says."""
        self._before, self._after = before, after

    def made(self) -> int:
        """Each change of what a deployment runs is another generation."""
        return int(self._deployment()["metadata"]["generation"]) - 1

    def fault(self, number: int) -> str:
        """A deployment that was never restarted."""
        del number
        annotations = self._deployment()["spec"]["template"]["metadata"].get("annotations") or {}
        return "" if "kubectl.kubernetes.io/restartedAt" in annotations else "the deployment was not restarted"

    def _deployment(self) -> Any:
        return self._cluster.get(f"{deployments(NAMESPACE)}/{APP}")

    def _meddle(self, request: Recorded) -> None:
        if request.harmless:
            return
        before, after = self._before, self._after
        self._before = self._after = None
        if before is not None:
            before()
            raise ConnectionAbortedError("the gateway is gone before its request was whole")
        if after is not None:
            # The request is whole, and passed on; its answer will find nobody.
            after()


class Rows:
    """The run database of a gateway, looked at from outside while that writes it."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "runs.sqlite3"

    def count(self, query: str, run_id: str) -> int:
        """The number that a query about a run gives."""
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=5)) as connection:
            (found,) = connection.execute(query, (run_id,)).fetchone()
        return int(found)
