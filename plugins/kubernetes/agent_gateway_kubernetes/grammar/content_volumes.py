"""Rules of the volumes of pods, and of claims of volumes."""

from __future__ import annotations

from .content_environment import resources
from .content_labels import template_metadata
from .content_lists import each
from .content_rules import Rule, fields, never, only, scalar, scalars
from .content_selectors import selector

_item = fields({"key": scalar, "path": scalar, "mode": scalar})
_items = each(_item, plain=True)
_field = fields({"apiVersion": scalar, "fieldPath": scalar})
_amount = fields({"containerName": scalar, "resource": scalar, "divisor": scalar})
_downward = each(fields({"path": scalar, "fieldRef": _field, "resourceFieldRef": _amount, "mode": scalar}), plain=True)
_projection = fields(
    {
        "configMap": fields({"name": scalar, "items": _items, "optional": scalar}),
        "downwardAPI": fields({"items": _downward}),
        "secret": never, "serviceAccountToken": never, "clusterTrustBundle": never, "podCertificate": never,
    }
)  # fmt: skip
_source = fields(
    {
        "apiGroup": scalar, "name": scalar,
        "kind": only("PersistentVolumeClaim", "VolumeSnapshot", why="A volume is filled from a claim or a snapshot."),
    }
)  # fmt: skip
claim_spec: Rule = fields(
    {
        "accessModes": scalars, "resources": resources, "storageClassName": scalar,
        "volumeMode": only("Filesystem", why="Containers are not given devices."), "selector": selector,
        "volumeName": never, "dataSource": _source, "dataSourceRef": _source, "volumeAttributesClassName": scalar,
    }
)  # fmt: skip
_claim = fields({"apiVersion": scalar, "kind": scalar, "metadata": template_metadata, "spec": claim_spec})
_volume = fields(
    {
        "name": scalar, "emptyDir": fields({"medium": scalar, "sizeLimit": scalar}, removable=True),
        "configMap": fields(
            {"name": scalar, "items": _items, "defaultMode": scalar, "optional": scalar}, removable=True
        ),
        "downwardAPI": fields({"items": _downward, "defaultMode": scalar}, removable=True),
        "persistentVolumeClaim": fields({"claimName": scalar, "readOnly": scalar}, removable=True),
        "projected": fields({"sources": each(_projection), "defaultMode": scalar}),
        "ephemeral": fields({"volumeClaimTemplate": _claim}),
    }
)  # fmt: skip

volumes: Rule = each(_volume, plain=True)
