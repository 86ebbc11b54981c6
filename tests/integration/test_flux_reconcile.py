"""`flux_reconcile` against a real API server: approved, asked once, source first, and waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.flux_house import EFFECT, REQUESTED, House, controllers, open_house
from tests.kubernetes_cluster import KubernetesCluster, Recorded

import agent_gateway as ag


@pytest.fixture
async def house(control_plane: KubernetesCluster, tmp_path: Path, assets: Path) -> AsyncIterator[House]:
    async with open_house(control_plane, tmp_path, assets) as house:
        yield house


async def test_the_human_sees_what_is_asked_of_which_objects_and_nothing_is_done(house: House) -> None:
    house.cluster.journal.clear()
    approval = await house.asked("flux_reconcile", kind="ks", name="apps", namespace=house.namespace)
    assert f"GitRepository {house.namespace}/repo" in approval.summary
    assert "ready: True, revision: main@sha1:aaa" in approval.summary
    assert f"+    {REQUESTED}:" in approval.diff
    source, apps = approval.targets
    assert source.name == f"air/gitrepositories.source.toolkit.fluxcd.io/{house.namespace}/repo"
    assert (apps.uid, apps.version) == (house.get("kustomizations", "apps")["metadata"]["uid"], "generation:1")
    assert all(each.harmless for each in house.cluster.journal)


async def test_the_source_is_reconciled_first_and_the_result_is_waited_for(house: House) -> None:
    async with controllers(house) as order:
        result = await house.change("flux_reconcile", name="apps", namespace=house.namespace)
    assert result.status == "ok"
    assert f"Kustomization {house.namespace}/apps is ready: Applied revision: bbb" in result.text
    assert order == ["gitrepositories/repo", "kustomizations/apps"]
    notes = house.annotations("kustomizations", "apps")
    assert notes[EFFECT] == f"{house.turned.run_id}.call"
    assert house.get("kustomizations", "apps")["status"]["lastHandledReconcileAt"] == notes[REQUESTED]


async def test_without_the_source_only_the_object_is_asked(house: House) -> None:
    async with controllers(house) as order:
        await house.change("flux_reconcile", name="apps", namespace=house.namespace, with_source=False)
    assert order == ["kustomizations/apps"]


async def test_a_release_keeps_its_annotations_and_its_registry_is_not_waited_for(house: House) -> None:
    async with controllers(house) as order:
        approval = await house.asked("flux_reconcile", kind="hr", name="shop", namespace=house.namespace)
        result = await house.approve()
    assert result.status == "ok"
    assert "hunter2" not in approval.diff
    assert order == ["helmreleases/shop"]
    assert house.annotations("helmreleases", "shop")["team"] == "shop"


async def test_a_failure_is_passed_on_word_for_word(house: House) -> None:
    message = "Deployment/shop/web dry-run failed: spec.replicas: Invalid value: -1\nhealth check failed"
    async with controllers(house, apps=message):
        result = await house.change("flux_reconcile", name="apps", namespace=house.namespace)
    assert f"is NOT ready: {message}" in result.text


async def test_a_failed_reconciliation_is_no_success_though_the_request_was_made(house: House) -> None:
    async with controllers(house, apps="kustomize build failed"):
        result = await house.change("flux_reconcile", name="apps", namespace=house.namespace)
    assert result.status == "failed"
    assert f"Verified: this call has asked GitRepository {house.namespace}/repo (ready)" in result.text
    assert f"Kustomization {house.namespace}/apps (NOT ready)" in result.text
    assert house.records.steps[-1] == "finish done"


async def test_when_the_source_fails_the_object_is_not_asked(house: House) -> None:
    async with controllers(house, repo="authentication required"):
        result = await house.change("flux_reconcile", name="apps", namespace=house.namespace)
    assert result.status == "failed"
    assert "authentication required" in result.text
    assert REQUESTED not in house.annotations("kustomizations", "apps")


async def test_what_takes_too_long_is_said_to_be_unfinished(house: House) -> None:
    house.seconds = 5.0
    result = await house.change("flux_reconcile", name="apps", namespace=house.namespace, with_source=False)
    assert result.status == "failed"
    assert "was asked and has not finished yet" in result.text
    assert "(not finished yet)" in result.text
    assert house.records.steps[-1] == "finish done"


async def test_progress_is_not_taken_for_the_end(house: House) -> None:
    house.seconds = 6.0
    await house.asked("flux_reconcile", name="apps", namespace=house.namespace, with_source=False)
    running = asyncio.create_task(house.approve())
    path = house.path("kustomizations", "apps")
    for _ in range(100):
        if REQUESTED in house.annotations("kustomizations", "apps"):
            break
        await asyncio.sleep(0.05)
    requested = house.annotations("kustomizations", "apps")[REQUESTED]
    busy = {"type": "Ready", "status": "Unknown", "reason": "Progressing", "message": "building",
            "lastTransitionTime": "2026-01-01T00:00:00Z"}  # fmt: skip
    status = {"conditions": [busy], "lastHandledReconcileAt": requested, "observedGeneration": 1}
    house.cluster.patch(f"{path}/status", {"status": status})
    assert "not finished yet; so far: building" in (await running).text


@pytest.mark.parametrize("plural", ["kustomizations", "gitrepositories"])
async def test_what_is_suspended_is_said_before_anybody_is_asked(house: House, plural: str) -> None:
    name = "apps" if plural == "kustomizations" else "repo"
    house.cluster.patch(house.path(plural, name), {"spec": {"suspend": True}})
    result = await house.call("flux_reconcile", name="apps", namespace=house.namespace)
    assert result.status == "failed"
    assert f"{house.namespace}/{name} is suspended" in result.text


async def test_an_object_that_changed_since_the_approval_is_left_alone(house: House) -> None:
    await house.asked("flux_reconcile", name="apps", namespace=house.namespace)
    house.cluster.patch(house.path("kustomizations", "apps"), {"spec": {"path": "./other"}})
    result = await house.approve()
    assert result.status == "failed"
    assert "is not what it was" in result.text
    assert REQUESTED not in house.annotations("gitrepositories", "repo")


async def test_an_object_that_changes_at_the_last_moment_is_left_alone(house: House) -> None:
    await house.asked("flux_reconcile", name="apps", namespace=house.namespace, with_source=False)
    path = house.path("kustomizations", "apps")

    def meddle(request: Recorded) -> None:
        if request.method == "PATCH" and not request.harmless:
            house.cluster.meddle = None
            house.cluster.patch(path, {"spec": {"path": "./other"}})

    house.cluster.meddle = meddle
    result = await house.approve()
    assert result.status == "failed"
    assert "is not what it was" in result.text
    assert REQUESTED not in house.annotations("kustomizations", "apps")


async def test_a_status_or_a_note_that_changes_at_the_last_moment_is_no_obstacle_and_is_kept(house: House) -> None:
    await house.asked("flux_reconcile", name="apps", namespace=house.namespace, with_source=False)

    def meddle(request: Recorded) -> None:
        if request.method == "PATCH" and not request.harmless:
            house.cluster.meddle = None
            house.cluster.patch(house.path("kustomizations", "apps"), {"metadata": {"annotations": {"note": "mine"}}})

    house.cluster.meddle = meddle
    async with controllers(house):
        assert (await house.approve()).status == "ok"
    assert house.annotations("kustomizations", "apps")["note"] == "mine"


async def test_an_object_of_the_same_name_that_was_made_anew_is_left_alone(house: House) -> None:
    await house.asked("flux_reconcile", name="apps", namespace=house.namespace, with_source=False)
    spec = house.get("kustomizations", "apps")["spec"]
    house.cluster.call("DELETE", house.path("kustomizations", "apps"))
    house.create("kustomizations", "apps", spec)
    assert (await house.approve()).status == "failed"
    assert REQUESTED not in house.annotations("kustomizations", "apps")


async def test_after_a_crash_the_request_is_found_or_known_to_be_missing(house: House) -> None:
    approval = await house.asked("flux_reconcile", name="apps", namespace=house.namespace)
    verify = house.tools["flux_reconcile"].verify
    assert verify is not None
    warrant = ag.Warrant(
        key=f"{house.turned.run_id}.call", run_id="r", persona="bruno", requester="a", targets=approval.targets
    )
    given = {"name": "apps", "namespace": house.namespace, "context": house.turned, "warrant": warrant}
    assert (await verify(**given)).outcome == "not_done"
    source = house.path("gitrepositories", "repo")
    house.cluster.patch(source, {"metadata": {"annotations": {EFFECT: warrant.key}}})
    assert (await verify(**given)).outcome == "unknown"  # only one of the two was asked
    async with controllers(house):
        await house.approve()
    assert (await verify(**given)).outcome == "done"
    async with controllers(house):
        await house.change("flux_reconcile", name="apps", namespace=house.namespace, with_source=False)
    assert (await verify(**given)).outcome == "done"
    house.cluster.call("DELETE", house.path("kustomizations", "apps"))
    assert (await verify(**given)).outcome == "unknown"


class Killed(BaseException):
    """Ends the effect before its outcome row, as a kill does."""


async def test_after_a_cut_only_what_was_not_asked_is_asked(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.asked("flux_reconcile", name="apps", namespace=house.namespace)
    house.cluster.journal.clear()

    def cut(request: Recorded) -> None:
        if request.method == "PATCH" and not request.harmless and request.path.endswith("/kustomizations/apps"):
            house.cluster.meddle = None
            raise ConnectionError

    async def die(*_: object) -> None:
        raise Killed

    async with controllers(house) as order:
        house.cluster.meddle = cut
        with monkeypatch.context() as patched:
            patched.setattr(house.records, "finish", die)
            with pytest.raises(Killed):
                await house.approve()
        result = await house.executor.perform(house.made, house.turned)
    assert result.status == "ok", result.text
    assert order == ["gitrepositories/repo", "kustomizations/apps"]
    asked = [each.path for each in house.cluster.journal if not each.harmless and b"requestedAt" in each.body]
    assert asked.count(house.path("gitrepositories", "repo")) == 1


async def test_who_may_not_patch_is_told_so_before_anybody_is_asked(
    control_plane: KubernetesCluster, tmp_path: Path, assets: Path
) -> None:
    async with open_house(control_plane, tmp_path, assets, user="nobody") as house:
        allow_reading(control_plane)
        result = await house.call("flux_reconcile", name="apps", namespace=house.namespace)
    assert result.status == "failed"
    assert "may not patch" in result.text


def allow_reading(cluster: KubernetesCluster) -> None:
    """Let everybody who is known read what Flux has."""
    base = "/apis/rbac.authorization.k8s.io/v1"
    groups = ["kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io", "source.toolkit.fluxcd.io"]
    rules = [{"apiGroups": groups, "resources": ["*"], "verbs": ["get", "list"]}]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "read-flux"}
    subjects = [{"kind": "Group", "name": "testers", "apiGroup": "rbac.authorization.k8s.io"}]
    metadata = {"name": "read-flux"}
    if not cluster.exists(f"{base}/clusterroles/read-flux"):
        cluster.create(f"{base}/clusterroles", {"metadata": metadata, "rules": rules})
        cluster.create(
            f"{base}/clusterrolebindings", {"metadata": metadata, "roleRef": reference, "subjects": subjects}
        )
