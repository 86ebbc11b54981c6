"""Everything the obedient model can read, and everything it could change, with all of it written down."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.flux_house import install_flux
from tests.kubelet import running_kubelet
from tests.kubernetes_cluster import KubernetesCluster, write_kubeconfig
from tests.mcp_servers import serving as serving_mcp
from tests.telemetry_stubs import running_stub

from agent_gateway.testing import ScriptedModelServer
from benchmarks.obedient_canaries import Canary, CanaryMaker
from benchmarks.obedient_cases import Case, Source, plan
from benchmarks.obedient_cluster import NODE, ClusterSources, furnish
from benchmarks.obedient_gateway import ACCEPTED, Addresses, Gateway, serving, write_settings
from benchmarks.obedient_leaks import Watch
from benchmarks.obedient_mcp import McpSources
from benchmarks.obedient_metrics import Metrics, running_metrics
from benchmarks.obedient_model import Obedience
from benchmarks.obedient_telemetry import JAEGER, TEMPO, TelemetrySources
from benchmarks.obedient_texts import Documents, GitSources, WatchedGitServer, memory


@dataclass(frozen=True)
class World:
    """The gateway, its model, and the servers it may look at and change; `cases` are to be tried in their order."""

    gateway: Gateway
    obedience: Obedience
    git: WatchedGitServer
    cluster: KubernetesCluster
    metrics: Metrics
    telemetry: TelemetrySources
    mcp: McpSources
    watch: Watch
    cases: list[Case]

    @property
    def canaries(self) -> dict[int, Canary]:
        """The secrets of the cases, by number; one that the gateway has itself is nobody's."""
        held = {each.text for each in self.watch.held.values()}
        return {case.number: case.canary for case in self.cases if case.canary.text not in held}

    def asked(self) -> dict[str, list[bytes]]:
        """What the servers were asked since the last look, without credentials."""
        kubernetes = [f"{each.path} {each.query}".encode() + each.body for each in self.cluster.journal]
        found = {
            "git": self.git.asked.copy(),
            "prometheus": self.metrics.asked.copy(),
            "logs and traces": self.telemetry.asked(),
            "kubernetes": kubernetes,
            "mcp": self.mcp.asked(),
        }
        self.git.asked.clear()
        self.metrics.asked.clear()
        self.cluster.journal.clear()
        return found


def _random_text(chance: random.Random, length: int) -> str:
    return "".join(chance.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=length))


@dataclass(frozen=True)
class Scope:
    """How much is tried: so many rounds, with so many orders for each source and encoding, 0 for all; `most` in all."""

    seed: int = 1
    rounds: int = 1
    orders: int = 0
    most: int | None = None


@dataclass(frozen=True)
class Place:
    """A folder to work in, a prepared data directory that may be written, the test assets, and a running cluster."""

    folder: Path
    data_dir: Path
    assets: Path
    cluster: KubernetesCluster


@asynccontextmanager
async def a_world(scope: Scope, place: Place) -> AsyncIterator[World]:
    """Start everything but the cluster, and plan what is tried."""
    chance, folder, cluster = random.Random(scope.seed), place.folder, place.cluster
    password, key = _random_text(chance, 32), f"agw_{_random_text(chance, 43)}"
    secret = _random_text(chance, 24)
    held = {"git password": password}
    # Planted nowhere: the key in use, and what only who reads the cluster's Secret could say.
    unseen = {"key in use": key, "secret in the cluster": secret}
    async with AsyncExitStack() as stack:
        git = WatchedGitServer(folder / "apps.git", password)
        stack.enter_context(git.running())
        install_flux(cluster, place.assets)
        kubelet = stack.enter_context(running_kubelet(cluster, folder, NODE))
        furnish(cluster, secret)
        telemetry, mcp = TelemetrySources(), McpSources()
        mcp.write_accepted(folder / ACCEPTED)
        metrics = stack.enter_context(running_metrics(folder))
        watch = Watch({name: Canary(name, value, (value,)) for name, value in (held | unseen).items()})
        canaries: dict[int, Canary] = {}
        obedience = Obedience(lambda case, body: watch.look(case, canaries.get(case), "model server", body))
        model = await stack.enter_async_context(ScriptedModelServer(("obedient",), obedience, window=100_000))
        documents, cases = Documents(folder / "rosters"), list[Case]()
        for _ in range(scope.rounds):
            cases += plan(chance, CanaryMaker(chance, held), [documents.source], len(cases), scope.orders)
        documents.write(cases)
        addresses = Addresses(
            model=model.openai_url,
            git=git.url,
            prometheus=metrics.address,
            loki=stack.enter_context(running_stub(telemetry.loki)),
            tempo={TEMPO: stack.enter_context(running_stub(telemetry.tempo))},
            jaeger={JAEGER: stack.enter_context(running_stub(telemetry.jaeger))},
            mcp=await stack.enter_async_context(serving_mcp(mcp.server)),
            kubeconfig=write_kubeconfig(folder / "kubeconfig", {"home": (cluster, "admin")}),
        )
        config, personas = write_settings(folder, addresses, documents.folder, key)
        gateway = await stack.enter_async_context(serving(place.data_dir, config, personas, key, password))
        held["control token"] = gateway.control_token
        watch.held = {name: Canary(name, value, (value,)) for name, value in (held | unseen).items()}
        sources: list[Source] = [*GitSources(git).all(), *ClusterSources(cluster, kubelet).all()]
        sources += [*telemetry.all(), *mcp.all(), metrics.source, memory()]
        for _ in range(scope.rounds):
            cases += plan(chance, CanaryMaker(chance, held), sources, len(cases), scope.orders)
        canaries.update({case.number: case.canary for case in cases})
        await asyncio.to_thread(metrics.expose, cases)
        chance.shuffle(cases)
        yield World(gateway, obedience, git, cluster, metrics, telemetry, mcp, watch, cases[: scope.most])
