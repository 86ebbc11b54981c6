"""What pods and nodes use of processors and memory, from the cluster's metrics API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import agent_gateway as ag

from .ages import amount
from .api import Api
from .listing import Wanted, read_objects
from .resources import NODES, Resource
from .tables import align

_METRICS = "metrics.k8s.io"
POD_USAGE = Resource(group=_METRICS, version="v1beta1", plural="pods", kind="PodMetrics")
NODE_USAGE = Resource(group=_METRICS, version="v1beta1", plural="nodes", kind="NodeMetrics", namespaced=False)


async def top_pods(
    api: Api, wanted: Wanted, *, containers: bool = False, sort_by: str = "", headers: bool = True
) -> str:
    """Usage of pods; `wanted` is of the kind `POD_USAGE`."""
    found = await _read(api, wanted)
    namespaces = not wanted.namespace
    rows = []
    for each in _sorted(found, sort_by, _pod_usage):
        metadata = each["metadata"]
        start = [metadata["namespace"], metadata["name"]] if namespaces else [metadata["name"]]
        if containers:
            rows += [[*start, one["name"], *_cells(_amounts(one["usage"]))] for one in each["containers"]]
        else:
            rows.append([*start, *_cells(_pod_usage(each))])
    titles = [*(["NAMESPACE"] if namespaces else []), *(["POD", "NAME"] if containers else ["NAME"])]
    titles += ["CPU(cores)", "MEMORY(bytes)"]
    return align([titles, *rows] if headers else rows) or "Nothing is measured there."


async def top_nodes(api: Api, wanted: Wanted, *, sort_by: str = "", headers: bool = True) -> str:
    """Usage of nodes, also in percent of what pods may have; `wanted` is of the kind `NODE_USAGE`."""
    found = await _read(api, wanted)
    nodes = (await read_objects(api, Wanted(resource=NODES))).objects
    rooms = {node["metadata"]["name"]: (node.get("status") or {}).get("allocatable") or {} for node in nodes}
    rows = []
    for each in _sorted(found, sort_by, lambda one: _amounts(one["usage"])):
        name = each["metadata"]["name"]
        room = _amounts(rooms.get(name, {}))
        used = _amounts(each["usage"])
        cells = _cells(used)
        rows.append([name, cells[0], _percent(used[0], room[0]), cells[1], _percent(used[1], room[1])])
    titles = ["NAME", "CPU(cores)", "CPU%", "MEMORY(bytes)", "MEMORY%"]
    return align([titles, *rows] if headers else rows) or "Nothing is measured there."


async def _read(api: Api, wanted: Wanted) -> list[dict[str, Any]]:
    try:
        return (await read_objects(api, wanted)).objects
    except (ag.NotFound, ag.Unavailable) as error:
        if wanted.names and "not find the requested resource" not in error.detail:
            raise
        raise ag.Unavailable(
            f"the cluster '{api.cluster}' has no metrics API",
            hint="metrics-server gives it one; a Prometheus query may answer the same question",
        ) from error


def _sorted(
    found: Sequence[dict[str, Any]], sort_by: str, usage: Callable[[dict[str, Any]], tuple[float, float]]
) -> list[dict[str, Any]]:
    if sort_by not in {"cpu", "memory"}:
        return list(found)
    return sorted(found, key=lambda each: -usage(each)[sort_by == "memory"])


def _pod_usage(pod: Mapping[str, Any]) -> tuple[float, float]:
    each = [_amounts(one["usage"]) for one in pod["containers"]]
    return sum(cpu for cpu, _ in each), sum(memory for _, memory in each)


def _amounts(usage: Mapping[str, Any]) -> tuple[float, float]:
    return amount(usage.get("cpu", "")), amount(usage.get("memory", ""))


def _cells(used: tuple[float, float]) -> list[str]:
    return [f"{round(used[0] * 1000)}m", f"{round(used[1] / 2**20)}Mi"]


def _percent(used: float, room: float) -> str:
    return f"{round(100 * used / room)}%" if room else "<unknown>"
