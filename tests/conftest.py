"""What holds for every test: on CI nothing is skipped, and data beside the repository has one address."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest
from tests.gateway_process import prepare_clone
from tests.kubernetes_cluster import KubernetesCluster, running_cluster

ROOT = Path(__file__).resolve().parent.parent
ASSETS_VARIABLE = "AGENT_GATEWAY_TEST_ASSETS"

# How long one example takes says more about the machine's neighbours than about the code.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


def on_ci() -> bool:
    """Tell whether this is a CI run: a skipped test is a failed one there."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false", "no"}


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure that keeps its reason; an expected failure is not a skip."""
    if report.skipped and on_ci() and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{reason}\nCI is set, and CI skips nothing: give it what this test needs."


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Look at the outcome of each test."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Look at the outcome of each file that is collected."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.fixture(scope="session")
def assets() -> Path:
    """The folder of data that is too big for the repository: public documents, recorded incidents, a control plane."""
    named = os.environ.get(ASSETS_VARIABLE)
    folder = Path(named) if named else ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"there is no folder {folder}; set {ASSETS_VARIABLE}")
    return folder


@pytest.fixture(scope="session")
def control_plane(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubernetesCluster]:
    """A real API server; tests make namespaces of their own in it."""
    with running_cluster(assets, tmp_path_factory.mktemp("control-plane")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def second_control_plane(
    assets: Path, control_plane: KubernetesCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KubernetesCluster]:
    """Another one."""
    binaries = control_plane.folder / "bin"
    folder = tmp_path_factory.mktemp("second-control-plane")
    with running_cluster(assets, folder, binaries if binaries.is_dir() else None) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def prepared_clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as after `git clone` and a first start, to be copied: ingesting the example documents takes long."""
    return prepare_clone(tmp_path_factory.mktemp("prepared"))
