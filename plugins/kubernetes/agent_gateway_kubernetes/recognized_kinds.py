"""The kinds of Kubernetes objects as people write them: singular and plural, short, in two words, and those of CRDs."""

from __future__ import annotations

import re
from typing import NamedTuple


class Kind(NamedTuple):
    """A kind: as kubectl takes it for many and for one, and whether its objects live in namespaces."""

    plural: str
    singular: str
    namespaced: bool = True


#: plural: other ways to write it, singular first.
_NAMESPACED = """
pods: pod po
deployments: deployment deploy deploys deployment.apps
replicasets: replicaset rs replica-set
statefulsets: statefulset sts stateful-set
daemonsets: daemonset ds daemon-set
jobs: job
cronjobs: cronjob cj cron-job
services: service svc svcs
endpoints: endpoint ep
endpointslices: endpointslice endpoint-slice
ingresses: ingress ing ings
configmaps: configmap cm config-map
secrets: secret
serviceaccounts: serviceaccount sa service-account
persistentvolumeclaims: persistentvolumeclaim pvc pvcs persistent-volume-claim volume-claim
horizontalpodautoscalers: horizontalpodautoscaler hpa hpas horizontal-pod-autoscaler autoscaler autoscalers \
    pod-autoscaler
poddisruptionbudgets: poddisruptionbudget pdb pdbs pod-disruption-budget disruption-budget
networkpolicies: networkpolicy netpol netpols network-policy
resourcequotas: resourcequota quota quotas resource-quota
limitranges: limitrange limit-range
roles: role
rolebindings: rolebinding role-binding
leases: lease
replicationcontrollers: replicationcontroller rc
podtemplates: podtemplate
controllerrevisions: controllerrevision
kustomizations: kustomization ks kustomizations.kustomize.toolkit.fluxcd.io
helmreleases: helmrelease hr helm-release
gitrepositories: gitrepository gitrepo gitrepos git-repository
helmrepositories: helmrepository helmrepo helmrepos helm-repository
helmcharts: helmchart helm-chart
ocirepositories: ocirepository ocirepo oci-repository
imagerepositories: imagerepository image-repository
imagepolicies: imagepolicy image-policy
imageupdateautomations: imageupdateautomation image-update-automation
receivers: receiver
certificates: certificate cert certs
certificaterequests: certificaterequest certificate-request
issuers: issuer
servicemonitors: servicemonitor smon service-monitor
podmonitors: podmonitor pod-monitor
prometheusrules: prometheusrule prometheus-rule
virtualservices: virtualservice virtual-service
destinationrules: destinationrule destination-rule
ingressroutes: ingressroute ingress-route
httproutes: httproute http-route
externalsecrets: externalsecret external-secret
sealedsecrets: sealedsecret sealed-secret
secretstores: secretstore secret-store
scaledobjects: scaledobject scaled-object
volumesnapshots: volumesnapshot volume-snapshot
"""
_CLUSTER_WIDE = """
nodes: node no
namespaces: namespace ns
persistentvolumes: persistentvolume pv pvs persistent-volume
storageclasses: storageclass sc storage-class
ingressclasses: ingressclass ingress-class
priorityclasses: priorityclass pc priority-class
clusterroles: clusterrole cluster-role
clusterrolebindings: clusterrolebinding cluster-role-binding
customresourcedefinitions: customresourcedefinition crd crds custom-resource-definition
csidrivers: csidriver csi-driver
csinodes: csinode
volumeattachments: volumeattachment volume-attachment
runtimeclasses: runtimeclass runtime-class
apiservices: apiservice
validatingwebhookconfigurations: validatingwebhookconfiguration
mutatingwebhookconfigurations: mutatingwebhookconfiguration
clusterissuers: clusterissuer cluster-issuer
clustersecretstores: clustersecretstore
gatewayclasses: gatewayclass gateway-class
"""
#: Short names that are words of their own; they count where nothing else is possible.
_WORDS = frozenset({"no"})


def _read(text: str, *, namespaced: bool) -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for line in text.split("\n"):
        plural, _, others = line.partition(":")
        names = others.split()
        if not names:
            continue
        kind = Kind(plural, names[0], namespaced)
        for name in (plural, *names):
            if name not in _WORDS:
                # "stateful-set" also stands for "stateful set" and both plurals.
                kinds[name] = kind
                if "-" in name:
                    kinds.update({_plural(name): kind, name.replace("-", " "): kind})
                    kinds[_plural(name).replace("-", " ")] = kind
    return kinds


def _plural(name: str) -> str:
    if name.endswith(("y", "ay")):
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith("s") else f"{name}s"


KINDS = _read(_NAMESPACED, namespaced=True) | _read(_CLUSTER_WIDE, namespaced=False)
#: Those whose pods are made by them, which can be restarted and have a history.
WORKLOADS = frozenset({"deployments", "statefulsets", "daemonsets"})
SCALABLE = frozenset({"deployments", "statefulsets", "replicasets"})

_ALTERNATIVES = "|".join(re.escape(name) for name in sorted(KINDS, key=len, reverse=True))
#: A kind that is known, or a custom one with its group.
KIND = rf"(?:(?:{_ALTERNATIVES})(?![\w.-])|[a-z]+(?:\.[a-z0-9-]+)+\.[a-z]{{2,}}(?![\w.-]))"


def find_kind(words: str) -> Kind:
    """The kind that is written like this; for one that nobody knows, as it is written."""
    return KINDS.get(words) or Kind(words, words)


def is_plural(words: str) -> bool:
    """Whether it is written as more than one: the plural of the kind, or of its short name."""
    kind = find_kind(words)
    return words.endswith("s") and words not in {kind.singular, "sts", "ds", "rs", "ns", "ks", "ingress"}
