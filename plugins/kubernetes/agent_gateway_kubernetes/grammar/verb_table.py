"""The options of every verb that the grammar knows, as text (read by `options.read_options`)."""

from __future__ import annotations

#: Options of every verb, wherever they stand.
EVERYWHERE = (
    "namespace/n:namespace request-timeout:duration match-server-version warnings-as-errors disable-compression help/h"
)
_LISTED = "all-namespaces/A chunk-size:count selector/l:selector"
_SHOWN = "show-managed-fields allow-missing-template-keys"
_WRITE = "dry-run:dry_run=client field-manager:manager output/o:write_output show-managed-fields"
_RECORDED = f"{_WRITE} record"
_TEXT = "filename/f:stdin !recursive/R"
_FOLLOWED = "!watch/w !watch-only !output-watch-events"

#: Verb -> what may follow it, and its options. What follows: `none`; `kinds` (kinds, or objects of them); `changes`
#: (objects, then words with `=` or a trailing `-`); `words`; `logs`; or `names KIND` (names of objects of that kind).
READS = {
    "get": (
        "kinds",
        (
            f"{_LISTED} {_SHOWN} {_FOLLOWED} field-selector:fields ignore-not-found label-columns/L:keys* no-headers "
            "output/o:read_output server-print show-kind show-labels sort-by:path subresource:part"
        ),
    ),
    "describe": ("kinds", f"{_LISTED} show-events"),
    "logs": (
        "logs",
        (
            "all-containers all-pods container/c:name !follow/f ignore-errors "
            "limit-bytes:positive max-log-requests:positive "
            "pod-running-timeout:duration prefix previous/p selector/l:selector since:duration "
            "since-time:time tail:count "
            "timestamps"
        ),
    ),
    "top pod": (
        "names pods",
        (
            "all-namespaces/A containers field-selector:fields no-headers selector/l:selector sort-by:usage_sort sum "
            "use-protocol-buffers show-swap"
        ),
    ),
    "top node": (
        "names nodes",
        "no-headers selector/l:selector show-capacity sort-by:usage_sort use-protocol-buffers show-swap",
    ),
    "rollout status": ("kinds", "revision:count timeout:duration watch/w selector/l:selector"),
    "rollout history": ("kinds", f"{_SHOWN} revision:count output/o:read_output selector/l:selector"),
    "explain": ("words", "recursive api-version:version output/o:explain_output"),
    "auth can-i": ("words", "all-namespaces/A list no-headers quiet/q subresource:name"),
    "auth whoami": ("none", f"{_SHOWN} output/o:read_output"),
    "api-resources": (
        "none",
        (
            "api-group:group cached categories:words namespaced no-headers output/o:discovery_output sort-by:list_sort "
            "verbs:words show-managed-fields"
        ),
    ),
    "api-versions": ("none", ""),
    "events": (
        "none",
        f"all-namespaces/A chunk-size:count {_SHOWN} {_FOLLOWED} for:of no-headers output/o:events_output types:types",
    ),
    "wait": (
        "kinds",
        (
            "all all-namespaces/A allow-missing-template-keys field-selector:fields for:wait output/o:write_output "
            "selector/l:selector show-managed-fields timeout:duration"
        ),
    ),
    "cluster-info": ("none", ""),
    "version": ("none", "client short output/o:version_output"),
    "options": ("none", ""),
    "help": ("words", ""),
}

WRITES = {
    "apply": (
        "none",
        (
            f"{_RECORDED} {_TEXT} server-side !force-conflicts !force !prune !all overwrite "
            "openapi-patch timeout:duration "
            "validate:validate=strict wait cascade:cascade=background grace-period:grace"
        ),
    ),
    "create": ("none", f"{_RECORDED} {_TEXT} save-config validate:validate=strict !edit !windows-line-endings"),
    "replace": (
        "none",
        (
            f"{_RECORDED} {_TEXT} save-config validate:validate=strict !force timeout:duration wait "
            "cascade:cascade=background grace-period:grace"
        ),
    ),
    "diff": (
        "none",
        f"{_TEXT} server-side !force-conflicts !prune field-manager:manager concurrency:positive show-managed-fields",
    ),
    "delete": (
        "kinds",
        (
            f"{_TEXT} dry-run:dry_run=client !all !all-namespaces/A cascade:cascade=background "
            "field-selector:fields !force "
            "grace-period:grace ignore-not-found !interactive/i !now output/o:write_output selector/l:selector "
            "timeout:duration wait"
        ),
    ),
    "create configmap": (
        "names configmaps",
        f"{_WRITE} append-hash from-literal:literal* save-config validate:validate=strict",
    ),
    "create quota": (
        "names resourcequotas",
        f"{_WRITE} hard:quantities scopes:types save-config validate:validate=strict",
    ),
    "create pdb": (
        "names poddisruptionbudgets",
        f"{_WRITE} max-unavailable:share min-available:share selector/l:selector save-config validate:validate=strict",
    ),
    "create job": ("names jobs", f"{_WRITE} from:cronjob save-config validate:validate=strict"),
    "expose": (
        "kinds",
        (
            f"{_RECORDED} cluster-ip:cluster_ip labels/l:selector name:namespace port:ports "
            "protocol:protocol save-config "
            "selector:selector session-affinity:affinity target-port:target_port type:cluster_type"
        ),
    ),
    "set image": ("changes", f"{_RECORDED} !all !local"),
    "set env": (
        "changes",
        (
            f"{_RECORDED} !all !local !resolve containers/c:container env/e:variable* from:source keys:text "
            "list overwrite "
            "prefix:text"
        ),
    ),
    "set resources": (
        "kinds",
        f"{_RECORDED} !all !local containers/c:container limits:quantities requests:quantities",
    ),
    "patch": (
        "kinds",
        f"{_RECORDED} !local patch/p:request type:patch_type subresource:patch_part allow-missing-template-keys",
    ),
    "scale": (
        "kinds",
        f"{_RECORDED} !all current-replicas:replicas replicas:replicas resource-version:count timeout:duration",
    ),
    "autoscale": (
        "kinds",
        (
            f"{_RECORDED} cpu-percent:percent cpu:share memory:share max:some_replicas min:some_replicas "
            "name:name save-config"
        ),
    ),
    "rollout restart": ("kinds", _RECORDED),
    "rollout undo": ("kinds", f"{_RECORDED} to-revision:count"),
    "rollout pause": ("kinds", _RECORDED),
    "rollout resume": ("kinds", _RECORDED),
    "label": ("changes", f"{_RECORDED} !all !all-namespaces/A !local list overwrite resource-version:count"),
    "annotate": ("changes", f"{_RECORDED} !all !all-namespaces/A !local list overwrite resource-version:count"),
    "taint": ("changes", f"{_RECORDED} !all overwrite validate:validate=strict"),
    "cordon": ("names nodes", "dry-run:dry_run=client"),
    "uncordon": ("names nodes", "dry-run:dry_run=client"),
    "drain": (
        "names nodes",
        (
            "dry-run:dry_run=client chunk-size:count !delete-emptydir-data !disable-eviction !force grace-period:grace "
            "ignore-daemonsets pod-selector:selector timeout:duration"
        ),
    ),
}
