"""Names of fields that are never written, wherever they stand, and why."""

from __future__ import annotations

import re

from .command import Refused

_HOST = "'{}' would let a container out to its node."
_PRIVILEGE = "'{}' would change what a container is allowed to do."
_IDENTITY = "'{}' would change whom a workload acts as."
_CODE = "'{}' would change what a workload runs."
_HANDED = "'{}' would hand a Secret to a workload."
_EXPOSURE = "'{}' would open a service to the outside."
_BOND = "'{}' belongs to the cluster's controllers and is not written."
_GITOPS = "'{}' decides what is applied from Git and is not written here."
_PLACE = "'{}' would choose a node, a volume or a priority that a workload is not given."

_BY_REASON = {
    _HOST: "hostNetwork hostPID hostIPC hostPath hostPort hostIP hostUsers hostProcess devices volumeDevices "
    "devicePath mountPropagation resourceClaims hostAliases",
    _PRIVILEGE: "privileged allowPrivilegeEscalation capabilities runAsUser runAsGroup runAsNonRoot runAsUserName "
    "procMount sysctls seccompProfile appArmorProfile seLinuxOptions windowsOptions securityContext supplementalGroups "
    "fsGroup readOnlyRootFilesystem shareProcessNamespace runtimeClassName podSecurityContext containerSecurityContext",
    _IDENTITY: "serviceAccountName serviceAccount serviceAccountToken automountServiceAccountToken imagePullSecrets "
    "podCertificate clusterTrustBundle gcpServiceAccount roleRef subjects rules",
    _CODE: "command args lifecycle exec postStart preStop ephemeralContainers initContainers containers podSpec "
    "workingDir postRenderers patches patchesStrategicMerge patchesJson6902 hooks",
    _HANDED: "secret secretName secretRef secretKeyRef secretKey secrets existingSecret nodePublishSecretRef csi "
    "fileKeyRef stringData valuesFrom substituteFrom tokenRef",
    _EXPOSURE: "nodePort nodePorts externalIPs externalName loadBalancerIP loadBalancerClass loadBalancerSourceRanges "
    "allocateLoadBalancerNodePorts healthCheckNodePort externalTrafficPolicy",
    _BOND: "finalizers ownerReferences deletionTimestamp deletionGracePeriodSeconds managedFields uid claimRef status "
    "clusterName managedBy manualSelector webhooks caBundle",
    _GITOPS: "sourceRef chartRef chart path prune kubeConfig targetNamespace storageNamespace postBuild force "
    "decryption dependsOn interval releaseName",
    _PLACE: "nodeName volumeName priority priorityClass persistentVolume schedulerName dnsConfig",
}
#: These are harmless words elsewhere: they explain a refusal, but do not cause one in what is free of rules.
_ONLY_EXPLAIN = frozenset({"path", "interval", "force", "rules", "priority", "chart", "secretkey", "hooks"})


def fold(key: str) -> str:
    """A key without case and without everything but letters and digits: the ways to write a word become one."""
    return "".join(letter for letter in key.casefold() if letter.isalnum())


REASONS = {fold(word): reason for reason, words in _BY_REASON.items() for word in words.split()}
#: Folded names that are refused at any depth of what has no rules of its own.
NEVER = frozenset(REASONS) - _ONLY_EXPLAIN
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]{0,62}")


def is_plain(key: object) -> bool:
    """Whether a key looks like a field of the API: ASCII letters and digits."""
    return isinstance(key, str) and _PLAIN.fullmatch(key) is not None


def show(key: object) -> str:
    """A key as a sentence quotes it: short, ASCII."""
    return f"{key[:80]!a}" if isinstance(key, str) else "What is no text"


def refusal_of(key: object) -> Refused:
    """Why a field that has no rule is refused."""
    if not is_plain(key):
        return Refused(f"{show(key)} is no plain name of a field.")
    reason = REASONS.get(fold(str(key)), "'{}' is no field that is written here.")
    return Refused(reason.format(key))
