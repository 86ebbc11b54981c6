"""`flux_get`, `flux_suspend` and `flux_resume` against a real API server, and where Flux is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from plugins.flux import agent_gateway_flux as plugin
from tests.flux_house import EFFECT, House, open_house, settle
from tests.kubernetes_cluster import KubernetesCluster, Recorded, clusters_of
from tests.memory_records import NoClusters

import agent_gateway as ag


@pytest.fixture
async def house(control_plane: KubernetesCluster, tmp_path: Path, assets: Path) -> AsyncIterator[House]:
    async with open_house(control_plane, tmp_path, assets) as house:
        yield house


async def test_what_is_in_trouble_comes_first(house: House) -> None:
    settle(house.cluster, house.path("helmreleases", "shop"), "False", "install retries exhausted")
    house.cluster.patch(house.path("gitrepositories", "repo"), {"spec": {"suspend": True}})
    lines = (await house.call("flux_get", namespace=house.namespace)).text.splitlines()
    assert lines[0] == "4 objects, 1 not ready, 1 suspended"
    assert lines[1].startswith(f"HelmRelease {house.namespace}/shop  ready=False")
    assert lines[1].endswith("install retries exhausted")
    assert "repo  ready=True SUSPENDED" in lines[2]


async def test_one_object_is_shown_in_detail_without_its_values(house: House) -> None:
    text = (await house.call("flux_get", name="shop", namespace=house.namespace)).text
    assert f"source: HelmRepository {house.namespace}/charts" in text
    assert "Ready=True Tested" in text
    assert "hunter2" not in text


@pytest.mark.parametrize("kind", ["Kustomization", "kustomizations", "KS", "ks"])
async def test_a_kind_has_several_names(house: House, kind: str) -> None:
    text = (await house.call("flux_get", kind=kind, namespace=house.namespace)).text
    assert text.splitlines()[0].startswith("1 objects")


async def test_a_name_without_a_kind_is_a_kustomization_before_it_is_a_source(house: House) -> None:
    git = {"kind": "GitRepository", "name": "repo"}
    house.create("kustomizations", "repo", {"interval": "5m", "prune": True, "sourceRef": git})
    assert (await house.call("flux_get", name="repo", namespace=house.namespace)).text.startswith("Kustomization")
    text = (await house.call("flux_get", kind="source git", name="repo", namespace=house.namespace)).text
    assert text.startswith("GitRepository")


async def test_a_name_in_several_namespaces_is_asked_back(house: House, control_plane: KubernetesCluster) -> None:
    git = {"kind": "GitRepository", "name": "repo"}
    name = f"twice-{house.namespace}"
    other = House(house.clusters, control_plane, control_plane.new_namespace())
    for each in (house, other):
        each.create("kustomizations", name, {"interval": "5m", "prune": True, "sourceRef": git})
    result = await house.call("flux_get", name=name)
    assert result.status == "failed"
    assert f"{house.namespace}/{name}" in result.text
    assert f"{other.namespace}/{name}" in result.text


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"kind": "pod"}, "no kind of Flux"),
        ({"name": "nothing-like-it"}, "there is no object of Flux"),
        ({"kind": "Bucket"}, "does not serve any Bucket"),
        ({"kind": "ks", "name": "../../secrets"}, "is no name"),
        ({"namespace": "A/b"}, "is no namespace"),
        ({"cluster": "water"}, "there is no cluster"),
    ],
)
async def test_what_cannot_be_found_is_said(house: House, arguments: dict[str, str], reason: str) -> None:
    result = await house.call("flux_get", **arguments)
    assert result.status == "failed"
    assert reason in result.text


async def test_suspend_and_resume_with_a_diff_and_a_trace(house: House) -> None:
    named = {"kind": "ks", "name": "apps", "namespace": house.namespace}
    approval = await house.asked("flux_suspend", **named)
    assert "+  suspend: true" in approval.diff
    assert house.get("kustomizations", "apps")["spec"].get("suspend") is None
    assert (await house.approve()).text.startswith(f"Kustomization {house.namespace}/apps in 'air' is suspended.")
    first = f"{house.turned.run_id}.call"
    assert house.get("kustomizations", "apps")["spec"]["suspend"] is True
    again = await house.call("flux_suspend", **named)
    assert "suspended already" in again.text
    resumed = await house.change("flux_resume", **named)
    assert resumed.status == "ok"
    assert house.get("kustomizations", "apps")["spec"]["suspend"] is False
    assert house.annotations("kustomizations", "apps")[EFFECT] == f"{house.turned.run_id}.call {first}"


async def test_what_changed_at_the_last_moment_is_not_suspended(house: House) -> None:
    await house.asked("flux_suspend", name="shop", namespace=house.namespace)

    def meddle(request: Recorded) -> None:
        if request.method == "PATCH" and not request.harmless:
            house.cluster.meddle = None
            house.cluster.patch(house.path("helmreleases", "shop"), {"spec": {"interval": "1h"}})

    house.cluster.meddle = meddle
    result = await house.approve()
    assert result.status == "failed"
    assert "is not what it was" in result.text
    assert "suspend" not in house.get("helmreleases", "shop")["spec"]


async def test_a_suspension_is_found_again_after_a_crash(house: House) -> None:
    approval = await house.asked("flux_suspend", name="shop", namespace=house.namespace)
    verify = house.tools["flux_suspend"].verify
    assert verify is not None
    warrant = ag.Warrant(
        key=f"{house.turned.run_id}.call", run_id="r", persona="bruno", requester="a", targets=approval.targets
    )
    given = {"name": "shop", "namespace": house.namespace, "context": house.turned, "warrant": warrant}
    assert (await verify(**given)).outcome == "not_done"
    await house.approve()
    assert (await verify(**given)).outcome == "done"
    house.cluster.patch(house.path("helmreleases", "shop"), {"spec": {"suspend": False}})
    assert (await verify(**given)) == ag.Verification(
        outcome="done", text=f"HelmRelease {house.namespace}/shop was suspended, and is not any more"
    )


async def test_doctor_tells_which_clusters_have_flux(
    house: House, second_control_plane: KubernetesCluster, tmp_path: Path
) -> None:
    (check,) = plugin.register_checks()
    clusters = clusters_of(tmp_path, air=(house.cluster, "admin"), bare=(second_control_plane, "admin"))
    found = await check.run(clusters)
    await clusters.close()
    assert found.ok
    assert "air: kustomize v1, helm v2, source v1" in found.detail
    assert "bare: no Flux" in found.detail
    assert (await check.run(NoClusters())).ok


async def test_a_cluster_without_flux_says_so(second_control_plane: KubernetesCluster, tmp_path: Path) -> None:
    clusters = clusters_of(tmp_path, bare=(second_control_plane, "admin"))
    house = House(clusters, second_control_plane, "default")
    for arguments in ({}, {"name": "apps"}):
        result = await house.call("flux_get", **arguments)
        assert "does not serve any" in result.text
    await clusters.close()
