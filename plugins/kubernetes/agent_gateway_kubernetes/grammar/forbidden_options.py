"""Options of kubectl that are never taken, and why; and all names that an option may have."""

from __future__ import annotations

from collections.abc import Mapping

_IDENTITY = "Nobody but the gateway chooses on whose behalf it acts: {} is refused."
_CREDENTIAL = "The gateway has its own credentials: {} is refused."
_TARGET = "The gateway chooses the server and how it is reached: {} is refused."
_FILE = "There are no files for a command: {} is refused; give the text with '-f -'."
_LOGGING = "Requests and their headers are not shown: {} is refused."
_STREAM = "What never ends is not read: {} is refused."
_MANY = "Not everything at once: {} is refused; name what you mean."
_HARD = "Nothing is forced, skipped or orphaned: {} is refused."
_RAW = "Paths of the API are not called directly: {} is refused."
_TEMPLATE = "Templates are not run: {} is refused; use -o jsonpath or custom-columns."
_OWNER = "Fields that belong to others stay theirs: {} is refused."
_EXPOSE = "Services are not opened to the outside: {} is refused."
_SHELL = "Nobody sits at this command: {} is refused."

_REASONS = {
    _IDENTITY: "as as-group as-uid as-user-extra impersonate user",
    _CREDENTIAL: "token username password client-certificate client-key certificate-authority auth-provider",
    _TARGET: "server s kubeconfig context cluster proxy-url tls-server-name insecure-skip-tls-verify "
    "insecure-skip-tls-verify-backend kuberc address",
    _FILE: "filename f kustomize k recursive R from-file from-env-file patch-file cache-dir profile-output profile "
    "log-file "
    "log-dir cert key output-directory",
    _LOGGING: "v vmodule alsologtostderr logtostderr stderrthreshold log-backtrace-at log-flush-frequency "
    "log-file-max-size add-dir-header skip-headers skip-log-headers one-output",
    _STREAM: "watch watch-only follow output-watch-events w",
    _MANY: "all all-namespaces A selector l field-selector prune prune-allowlist prune-whitelist",
    _HARD: "force now cascade grace-period disable-eviction delete-emptydir-data delete-local-data "
    "skip-wait-for-delete-timeout ignore-errors",
    _RAW: "raw subresource",
    _TEMPLATE: "template",
    _OWNER: "force-conflicts field-manager overrides override-type remove-extra-permissions",
    _EXPOSE: "external-ip load-balancer-ip type external-name",
    _SHELL: "edit interactive stdin tty i t it ti",
}
FORBIDDEN: Mapping[str, str] = {
    name: reason.format(f"--{name}" if len(name) > 1 else f"-{name}")
    for reason, names in _REASONS.items()
    for name in names.split()
}
#: Long names that people write with one dash by mistake.
LONG_NAMES = frozenset(name for name in FORBIDDEN if len(name) > 2) | frozenset(
    "namespace output selector all-namespaces all-containers container tail since previous timestamps replicas image "
    "dry-run help patch timeout name port field-selector show-labels no-headers sort-by env overwrite wait for "
    "request-timeout label-columns limit-bytes since-time prefix target-port min max limits requests list".split()
)


def forbidden_reason(written: str, name: str) -> str:
    """Why an option that the verb does not take is refused."""
    return FORBIDDEN.get(name) or f"The option {written[:80]!r} is not known here."
