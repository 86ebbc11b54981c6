"""Which clusters there are, and what a wrong setting says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from agent_gateway.clusters import OpenClusters, open_clusters
from agent_gateway.config import load_configuration
from agent_gateway.config.clusters import ClustersSettings
from agent_gateway.errors import ConfigurationError, InvalidInput, NotFound
from agent_gateway.interfaces import ApiRequest

NOWHERE = Path("/nonexistent")
VERSION = ApiRequest(method="GET", path="/version")


def kubeconfig(folder: Path, *names: str, current: str = "", user: dict[str, Any] | None = None) -> Path:
    content = {
        "current-context": current,
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}],
        "users": [{"name": "u", "user": user if user is not None else {"token": "t"}}],
        "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in names],
    }
    path = folder / "config"
    path.write_text(yaml.safe_dump(content))
    return path


def opened(environ: dict[str, str] | None = None, account: Path = NOWHERE, **settings: Any) -> OpenClusters:
    return open_clusters(ClustersSettings(**settings), environ or {}, account)


def test_contexts_are_clusters_and_the_current_one_is_the_default(tmp_path: Path) -> None:
    clusters = opened(kubeconfig=kubeconfig(tmp_path, "air", "pro", current="pro"))
    assert clusters.names == ("pro", "air")
    assert clusters.get().name == "pro"
    assert clusters.get("air").name == "air"


def test_settings_choose_contexts_and_default(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, "air", "pro", "studio", current="pro")
    clusters = opened(kubeconfig=path, contexts=["air", "studio"], default="studio")
    assert clusters.names == ("studio", "air")


def test_without_settings_there_is_no_cluster_and_it_says_how_to_add_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".kube").mkdir()
    kubeconfig(tmp_path / ".kube", "mine")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / ".kube" / "config"))
    clusters = open_clusters(ClustersSettings(), account=tmp_path)
    assert clusters.names == ()
    with pytest.raises(NotFound) as caught:
        clusters.get()
    assert "clusters.kubeconfig" in caught.value.hint


def test_an_unknown_name_is_answered_with_those_there_are(tmp_path: Path) -> None:
    clusters = opened(kubeconfig=kubeconfig(tmp_path, "air", "pro"))
    with pytest.raises(NotFound) as caught:
        clusters.get("forge")
    assert (caught.value.detail, caught.value.hint) == ("there is no cluster 'forge'", "there are: air, pro")


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"contexts": ("moon",)}, "clusters.contexts"),
        ({"default": "moon"}, "clusters.default"),
        ({"in_cluster": True}, "clusters.in_cluster"),
        ({"kubeconfig": Path("/nonexistent/config")}, "clusters.kubeconfig"),
    ],
)
def test_a_wrong_setting_is_a_fault_of_its_key(tmp_path: Path, settings: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        opened(**{"kubeconfig": kubeconfig(tmp_path, "air"), **settings})
    assert [fault.key for fault in caught.value.faults] == [key]


def test_a_file_that_is_no_kubeconfig_is_a_fault(tmp_path: Path) -> None:
    for text in ("", "a: [", "contexts: 3", "- x"):
        (tmp_path / "config").write_text(text)
        with pytest.raises(ConfigurationError, match=r"clusters\.kubeconfig"):
            opened(kubeconfig=tmp_path / "config")


def test_in_a_pod_its_own_cluster_is_there(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t")
    pod = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    assert opened(pod, tmp_path).names == ("in-cluster",)
    assert opened(pod, tmp_path, in_cluster=False).names == ()
    assert opened(pod, tmp_path, kubeconfig=kubeconfig(tmp_path, "air")).names == ("air", "in-cluster")


async def test_a_pod_without_a_certificate_says_so(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t")
    clusters = opened({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}, tmp_path)
    with pytest.raises(InvalidInput, match="certification file"):
        await clusters.get().send(VERSION)


@pytest.mark.parametrize(
    "user",
    [
        {"exec": {"command": "touch", "args": ["{canary}"], "apiVersion": "client.authentication.k8s.io/v1"}},
        {"auth-provider": {"name": "gcp", "config": {"cmd-path": "touch", "cmd-args": "{canary}"}}},
        {"token": "t", "as": "system:admin"},
    ],
)
async def test_credentials_that_run_a_program_or_act_as_others_are_refused(
    tmp_path: Path, user: dict[str, Any]
) -> None:
    canary = tmp_path / "canary"
    text = yaml.safe_dump(user).replace("{canary}", str(canary))
    clusters = opened(kubeconfig=kubeconfig(tmp_path, "air", user=yaml.safe_load(text)))
    with pytest.raises(InvalidInput) as caught:
        await clusters.get().send(VERSION)
    assert caught.value.code == "cluster_credentials"
    assert not canary.exists()


async def test_faults_of_credentials_do_not_show_them(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, "air", user={"tokenFile": "nowhere", "client-key-data": "c2VjcmV0"})
    path.write_text(path.read_text().replace("server: http://127.0.0.1:9", "server: https://127.0.0.1:9"))
    with pytest.raises(InvalidInput) as caught:
        await opened(kubeconfig=path).get().send(VERSION)
    assert "c2VjcmV0" not in str(caught.value)


def test_the_path_of_the_kubeconfig_starts_at_the_settings_file(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "gateway.yaml").write_text("clusters: {kubeconfig: kube/config, contexts: [air]}\n")
    read = load_configuration(config_file=folder / "gateway.yaml", folder=tmp_path, environ={}).settings.clusters
    assert read.kubeconfig == folder / "kube" / "config"
    environ = {"AGENT_GATEWAY__CLUSTERS__KUBECONFIG": "here", "AGENT_GATEWAY__CLUSTERS__CONTEXTS": "air, pro"}
    read = load_configuration(folder=tmp_path, environ=environ).settings.clusters
    assert (read.kubeconfig, read.contexts) == (tmp_path / "here", ("air", "pro"))
    assert load_configuration({"clusters": {"kubeconfig": ""}}, folder=tmp_path).settings.clusters.kubeconfig is None
