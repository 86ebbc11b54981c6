"""Rules of the kinds that make no pods."""

from __future__ import annotations

import re

from .content_lists import each
from .content_rules import Rule, fields, free, never, only, scalar, scalars, text_map
from .content_selectors import chosen_labels, selector
from .content_volumes import claim_spec

_inside = only("ClusterIP", None, why="Services are not opened to the outside.")
_ports = each(
    fields({"name": scalar, "port": scalar, "targetPort": scalar, "protocol": scalar, "appProtocol": scalar,
            "nodePort": never}),
    plain=True,
)  # fmt: skip
_service = fields(
    {
        "type": _inside, "ports": _ports, "selector": chosen_labels, "clusterIP": scalar, "clusterIPs": scalars,
        "ipFamilies": scalars, "ipFamilyPolicy": scalar, "internalTrafficPolicy": scalar, "sessionAffinity": scalar,
        "sessionAffinityConfig": free, "publishNotReadyAddresses": scalar, "trafficDistribution": scalar,
        "externalIPs": never, "externalName": never, "loadBalancerIP": never, "externalTrafficPolicy": never,
    }
)  # fmt: skip
_scaled = fields(
    {
        "apiVersion": scalar, "name": scalar,
        "kind": only("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController",
                     why="Only workloads of Kubernetes' own are scaled."),
    }
)  # fmt: skip
_amounts = text_map(re.compile(r"[A-Za-z0-9][A-Za-z0-9./_-]{0,200}"), removable=True)
_limit = fields(
    {
        "type": scalar, "max": _amounts, "min": _amounts, "default": _amounts, "defaultRequest": _amounts,
        "maxLimitRequestRatio": _amounts,
    }
)  # fmt: skip
_words = text_map(re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,200}"), removable=True)
_alert = fields(
    {
        "alert": scalar, "record": scalar, "expr": scalar, "for": scalar, "keep_firing_for": scalar, "labels": _words,
        "annotations": _words,
    }
)  # fmt: skip
_alerts = fields(
    {
        "name": scalar, "interval": scalar, "rules": each(_alert, plain=True), "limit": scalar, "labels": _words,
        "query_offset": scalar, "partial_response_strategy": scalar,
    }
)  # fmt: skip

#: (group, plural) -> the rule of `spec`.
RESOURCES: dict[tuple[str, str], Rule] = {
    ("", "services"): _service,
    ("", "persistentvolumeclaims"): claim_spec,
    ("", "resourcequotas"): fields({"hard": _amounts, "scopes": scalars, "scopeSelector": free}),
    ("", "limitranges"): fields({"limits": each(_limit, plain=True)}),
    ("autoscaling", "horizontalpodautoscalers"): fields(
        {
            "scaleTargetRef": _scaled, "minReplicas": scalar, "maxReplicas": scalar, "metrics": free, "behavior": free,
            "targetCPUUtilizationPercentage": scalar,
        }
    ),
    ("policy", "poddisruptionbudgets"): fields(
        {
            "minAvailable": scalar, "maxUnavailable": scalar, "selector": selector,
            "unhealthyPodEvictionPolicy": scalar,
        }
    ),
    ("monitoring.coreos.com", "prometheusrules"): fields({"groups": each(_alerts, plain=True)}),
}  # fmt: skip
_data = text_map(re.compile(r"[A-Za-z0-9._-]{1,253}"))
CONFIG_MAP: dict[str, Rule] = {"data": _data, "binaryData": _data, "immutable": scalar}
