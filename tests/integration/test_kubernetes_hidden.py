"""Values that are not shown are told in no other way either; and long answers do not hold everybody up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.kubernetes_cluster import KubernetesCluster
from tests.kubernetes_house import House, a_deployment, a_pod, deployments, open_house, pods

PASSWORD = "hUnter42x"
VALUE = "/spec/template/spec/containers/0/env/0/value"


@pytest.fixture
async def house(control_plane: KubernetesCluster, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, air=(control_plane, "admin")) as house:
        yield house


@pytest.fixture
def apps(control_plane: KubernetesCluster) -> str:
    """A namespace with a deployment and two pods that have a password."""
    namespace = control_plane.new_namespace()
    web = a_deployment()
    web["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "DB_PASSWORD", "value": PASSWORD}]
    control_plane.create(deployments(namespace), web)
    for name, password in (("web-1", f"z{PASSWORD}"), ("web-2", f"a{PASSWORD}")):
        pod = a_pod(name)
        pod["spec"]["containers"][0]["env"] = [{"name": "DB_PASSWORD", "value": password}]
        control_plane.create(pods(namespace), pod)
    return namespace


async def test_waiting_and_sorting_do_not_tell_a_hidden_value(house: House, apps: str) -> None:
    value = ".spec.containers[0].env[0].value"
    for condition in (f'@.value=="z{PASSWORD}"', '@.value>="a"', "@.value!='x'"):
        wish = f"jsonpath='{{.spec.containers[0].env[?({condition})].name}}=DB_PASSWOR'"
        result = await house.kubectl(f"kubectl wait pod/web-1 -n {apps} --timeout=0 --for={wish}")
        assert (result.status, "is so" in result.text) == ("failed", False)
    for condition in (f'@.value=="z{PASSWORD}"', '@.value>="a"'):
        wish = f"jsonpath='{{.spec.containers[0].env[?({condition})].name}}'"
        result = await house.kubectl(f"kubectl wait pod/web-1 -n {apps} --timeout=0 --for={wish}")
        assert (result.status, "is so" in result.text) == ("failed", False)
    wish = f"jsonpath='{{{value}}}=z{PASSWORD}'"
    assert "is so" not in (await house.kubectl(f"kubectl wait pod/web-1 -n {apps} --timeout=0 --for={wish}")).text
    known = "jsonpath='{.spec.containers[0].image}=registry.example.com/x:1'"
    assert "is so" in await house.read(f"kubectl wait pod/web-1 -n {apps} --timeout=0 --for={known}")
    for form in ("", " -o wide", " -o custom-columns=NAME:.metadata.name"):
        shown = await house.read(f"kubectl get pods -n {apps} --no-headers --sort-by='{{{value}}}'{form}")
        assert [line.split()[0] for line in shown.splitlines()] == ["web-1", "web-2"]


async def test_a_preview_does_not_tell_a_hidden_value(house: House, apps: str) -> None:
    for guess in (PASSWORD, "another"):
        asked = await house.kubectl(f"kubectl set env deploy/web DB_PASSWORD={guess} -n {apps}")
        assert asked.status == "waiting", asked.text
        assert house.approval is not None
        assert house.approval.diff.splitlines()[2:] == ["@@ a value that is not shown is written @@"]
        replaced = json.dumps([{"op": "replace", "path": VALUE, "value": guess}])
        asked = await house.kubectl(f"kubectl patch deploy web --type=json -p '{replaced}' -n {apps}")
        assert asked.status == "waiting", asked.text
        assert house.approval.diff.splitlines()[2:] == ["@@ a value that is not shown is written @@"]
        replicas = {"op": "replace", "path": "/spec/replicas", "value": 3}
        tested = json.dumps([{"op": "test", "path": VALUE, "value": guess}, replicas])
        refused = await house.kubectl(f"kubectl patch deploy web --type=json -p '{tested}' -n {apps}")
        assert "is not shown, and so it is not tested" in refused.text
    tested = json.dumps([{"op": "test", "path": "/spec/replicas", "value": 2}, replicas])
    assert (await house.kubectl(f"kubectl patch deploy web --type=json -p '{tested}' -n {apps}")).status == "waiting"


async def test_a_long_answer_does_not_hold_everybody_up(house: House, control_plane: KubernetesCluster) -> None:
    namespace = control_plane.new_namespace()
    entries = {f"key-{number}": f"value {number} " * 5 for number in range(4000)}
    maps = f"/api/v1/namespaces/{namespace}/configmaps"
    control_plane.create(maps, *({"metadata": {"name": f"m{each}"}, "data": entries} for each in range(3)))
    gaps: list[float] = []
    loop = asyncio.get_running_loop()

    async def count() -> None:
        last = loop.time()
        while True:
            await asyncio.sleep(0.01)
            gaps.append(loop.time() - last)
            last = loop.time()

    # The first call imports what it needs.
    await house.read(f"kubectl get cm -n {namespace}")
    counting = asyncio.create_task(count())
    names = " ".join(f"cm/m{each}" for each in range(3))
    for command in ("get {} -o yaml", "describe {}", "get {} -o jsonpath='{{.items[*].data.key-1}}'"):
        begun = loop.time()
        gaps.clear()
        await house.kubectl(f"kubectl {command.format(names)} -n {namespace}")
        await asyncio.sleep(0.05)
        assert max(gaps) < (loop.time() - begun) / 3
    counting.cancel()
