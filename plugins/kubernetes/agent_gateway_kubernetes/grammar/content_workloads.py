"""Rules of the kinds that make pods."""

from __future__ import annotations

from .content_labels import object_metadata, template_metadata
from .content_lists import each
from .content_pods import pod_spec, template
from .content_rules import Rule, fields, free, never, only, scalar, scalars
from .content_selectors import chosen_labels, selector
from .content_volumes import claim_spec

_rolling = fields({"maxSurge": scalar, "maxUnavailable": scalar, "partition": scalar}, removable=True)
_strategy = fields({"type": scalar, "rollingUpdate": _rolling}, removable=True, retain=True)
_kept = only("Retain", None, why="Data is not deleted with the pods that wrote it.")
_scaled = {"replicas": scalar, "minReadySeconds": scalar, "template": template}
_claims = each(
    fields({"apiVersion": scalar, "kind": scalar, "metadata": object_metadata, "spec": claim_spec, "status": never})
)
_failures = fields(
    {
        "action": scalar,
        "onExitCodes": fields({"containerName": scalar, "operator": scalar, "values": scalars}),
        "onPodConditions": each(fields({"type": scalar, "status": scalar}), plain=True),
    }
)
_job = fields(
    {
        "parallelism": scalar, "completions": scalar, "activeDeadlineSeconds": scalar, "backoffLimit": scalar,
        "backoffLimitPerIndex": scalar, "maxFailedIndexes": scalar, "selector": selector, "manualSelector": never,
        "template": template, "ttlSecondsAfterFinished": scalar, "completionMode": scalar, "suspend": scalar,
        "podFailurePolicy": fields({"rules": each(_failures, plain=True)}),
        "successPolicy": free, "podReplacementPolicy": scalar, "managedBy": never,
    }
)  # fmt: skip

#: (group, plural) -> the rule of `spec`.
WORKLOADS: dict[tuple[str, str], Rule] = {
    ("", "pods"): pod_spec,
    ("", "replicationcontrollers"): fields({**_scaled, "selector": chosen_labels}),
    ("apps", "deployments"): fields(
        {
            **_scaled, "selector": selector, "strategy": _strategy, "revisionHistoryLimit": scalar, "paused": scalar,
            "progressDeadlineSeconds": scalar,
        }
    ),
    ("apps", "replicasets"): fields({**_scaled, "selector": selector}),
    ("apps", "daemonsets"): fields(
        {
            "template": template, "selector": selector, "updateStrategy": _strategy, "minReadySeconds": scalar,
            "revisionHistoryLimit": scalar,
        }
    ),
    ("apps", "statefulsets"): fields(
        {
            **_scaled, "selector": selector, "serviceName": scalar, "podManagementPolicy": scalar,
            "updateStrategy": _strategy, "revisionHistoryLimit": scalar, "ordinals": free,
            "persistentVolumeClaimRetentionPolicy": fields({"whenDeleted": _kept, "whenScaled": _kept}),
            "volumeClaimTemplates": _claims,
        }
    ),
    ("batch", "jobs"): _job,
    ("batch", "cronjobs"): fields(
        {
            "schedule": scalar, "timeZone": scalar, "startingDeadlineSeconds": scalar, "concurrencyPolicy": scalar,
            "suspend": scalar, "jobTemplate": fields({"metadata": template_metadata, "spec": _job}),
            "successfulJobsHistoryLimit": scalar, "failedJobsHistoryLimit": scalar,
        }
    ),
}  # fmt: skip
