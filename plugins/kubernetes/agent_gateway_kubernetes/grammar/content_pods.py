"""Rules of pods and of the templates that other kinds make pods from."""

from __future__ import annotations

import re
from typing import Any

from .command import Refused
from .content_containers import containers
from .content_environment import first
from .content_labels import template_metadata
from .content_lists import each
from .content_rules import Manner, Rule, fields, free, never, only, scalar, text_map
from .content_security import off, pod_security
from .content_selectors import selector
from .content_volumes import volumes

_KEYS = re.compile(r"(?!node-role\.)(?:[a-z0-9.-]+/)?[A-Za-z0-9][A-Za-z0-9._-]*")
_CONTROL_PLANE = re.compile(r"control-?plane|master|etcd|^node-role\.|^node\.kubernetes\.io/(?!not-ready|unreachable|"
                            r"memory-pressure|disk-pressure|pid-pressure)", re.IGNORECASE)  # fmt: skip
_toleration = fields(
    {"key": scalar, "operator": scalar, "value": scalar, "effect": scalar, "tolerationSeconds": scalar}
)


def _tolerates(value: Any, manner: Manner) -> None:
    """A toleration of taints with one key, which is not the control plane's."""
    _toleration(value, manner)
    key = value.get("key", "" if not manner.pointed or value.get("operator") == "Exists" else "x")
    if not isinstance(key, str) or not key:
        raise Refused("A toleration without a key would let pods onto every node.")
    if _CONTROL_PLANE.search(key):
        raise Refused("Pods are not let onto the nodes of the control plane.")


def _priority_class(value: Any, manner: Manner) -> None:
    if not isinstance(value, str) or value.startswith("system-"):
        raise Refused("Pods are not given the priority of the system.")


pod_spec: Rule = fields(
    {
        "containers": containers, "initContainers": first("initContainers", containers), "ephemeralContainers": never,
        "volumes": volumes, "securityContext": pod_security,
        "restartPolicy": only("Always", "OnFailure", "Never", why="There is no such 'restartPolicy'."),
        "terminationGracePeriodSeconds": scalar, "activeDeadlineSeconds": scalar,
        "dnsPolicy": only("ClusterFirst", "ClusterFirstWithHostNet", why="Names are looked up in the cluster."),
        "nodeSelector": text_map(_KEYS, removable=True), "affinity": free,
        "topologySpreadConstraints": each(
            fields(
                {
                    "maxSkew": scalar, "topologyKey": scalar, "whenUnsatisfiable": scalar, "labelSelector": selector,
                    "minDomains": scalar, "nodeAffinityPolicy": scalar, "nodeTaintsPolicy": scalar,
                    "matchLabelKeys": free,
                }
            ),
            plain=True,
        ),
        "tolerations": each(_tolerates, plain=True), "automountServiceAccountToken": off, "hostNetwork": off,
        "hostPID": off, "hostIPC": off, "hostUsers": off, "shareProcessNamespace": off, "hostname": scalar,
        "subdomain": scalar, "setHostnameAsFQDN": scalar, "enableServiceLinks": scalar,
        "priorityClassName": _priority_class,
        "preemptionPolicy": scalar, "schedulerName": only("default-scheduler", why="The scheduler stays as it is."),
        "readinessGates": free, "os": fields({"name": only("linux", why="Pods run on Linux.")}),
    }
)  # fmt: skip
template: Rule = fields({"metadata": template_metadata, "spec": pod_spec})
