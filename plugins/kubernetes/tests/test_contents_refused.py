"""Objects that never get into the cluster, whoever approves."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.kubernetes.agent_gateway_kubernetes.grammar.contents import judge_objects

from .test_contents_objects import WEB, cron, deployment, pod, service, thing, web

RBAC = "rbac.authorization.k8s.io/v1"
FLUX = "kustomize.toolkit.fluxcd.io/v1"
NOTIFY = "notification.toolkit.fluxcd.io/v1"
KINDS = [
    ("Secret", "v1"), ("secret", "v1"), ("Secrets", "v1"), ("S\u0435cret", "v1"), ("Secret ", "v1"), ("List", "v1"),
    ("SealedSecret", "bitnami.com/v1alpha1"), ("ExternalSecret", "external-secrets.io/v1"),
    ("TokenRequest", "authentication.k8s.io/v1"), ("TokenReview", "authentication.k8s.io/v1"),
    ("CertificateSigningRequest", "certificates.k8s.io/v1"), ("Certificate", "cert-manager.io/v1"),
    ("Role", RBAC), ("RoleBinding", RBAC), ("ClusterRole", RBAC), ("ClusterRoleBinding", RBAC),
    ("ServiceAccount", "v1"), ("Namespace", "v1"), ("Node", "v1"), ("PersistentVolume", "v1"),
    ("CustomResourceDefinition", "apiextensions.k8s.io/v1"), ("APIService", "apiregistration.k8s.io/v1"),
    ("ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1"),
    ("StorageClass", "storage.k8s.io/v1"), ("PriorityClass", "scheduling.k8s.io/v1"),
    ("NetworkPolicy", "networking.k8s.io/v1"), ("Gateway", "gateway.networking.k8s.io/v1"),
    ("HTTPRoute", "gateway.networking.k8s.io/v1"), ("VirtualService", "networking.istio.io/v1"),
    ("Route", "route.openshift.io/v1"), ("AuthorizationPolicy", "policy.linkerd.io/v1alpha1"),
    ("Kustomization", FLUX),
    ("HelmRelease", "helm.toolkit.fluxcd.io/v2"), ("Receiver", NOTIFY),
    ("GitRepository", "source.toolkit.fluxcd.io/v1"), ("Endpoints", "v1"), ("Event", "v1"),
    ("Widget", "example.com/v1"),
    ("Deployment", "v1"), ("Deployment", "apps/v2"), ("deployment", "apps/v1"), ("Deployment", "/v1"), ("Pod", "/v1"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "version"), KINDS)
def test_most_kinds_are_never_written(kind: str, version: str) -> None:
    for verb in ("apply", "create", "replace", "delete", "diff"):
        assert judge_objects([thing(kind, version)], "apps", verb).decision == "deny"


@pytest.mark.parametrize(("kind", "version"), [
    ("StatefulSet", "apps/v1"), ("PersistentVolumeClaim", "v1"), ("NetworkPolicy", "networking.k8s.io/v1"),
])  # fmt: skip
def test_what_keeps_data_or_walls_is_not_deleted(kind: str, version: str) -> None:
    assert judge_objects([thing(kind, version)], "apps", "delete").decision == "deny"


def test_new_ways_into_the_cluster_are_not_made() -> None:
    assert judge_objects([thing("Ingress", "networking.k8s.io/v1", spec={})], "apps", "apply").decision == "deny"


def volume(**source: Any) -> dict[str, Any]:
    return deployment(volumes=[{"name": "a", **source}])


def safe(**context: Any) -> dict[str, Any]:
    return web(securityContext=context)


ENV = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}
OBJECTS: list[Any] = [
    *(pod(**{key: True}) for key in ("hostNetwork", "hostPID", "hostIPC", "hostUsers", "shareProcessNamespace")),
    deployment(hostNetwork=True), cron(hostPID=True), cron(volumes=[{"name": "a", "hostPath": {"path": "/"}}]),
    deployment(hostnetwork=True),
    *(deployment(**{key: True}) for key in ("hostNetwork ", "h\u043estNetwork", "\u200bhostNetwork")),
    volume(hostPath={"path": "/"}), volume(secret={"secretName": "a"}), volume(csi={"driver": "a"}), volume(nfs={}),
    volume(projected={"sources": [{"secret": {"name": "a"}}]}), volume(image={"reference": "a"}),
    volume(projected={"sources": [{"configMap": {"name": "a"}}, {"serviceAccountToken": {"path": "token"}}]}),
    web(ports=[{"containerPort": 80, "hostPort": 80}]), web(volumeDevices=[{"name": "a", "devicePath": "/dev/a"}]),
    web(volumeMounts=[{"name": "a", "mountPath": "/a", "mountPropagation": "Bidirectional"}]),
    web(resources={"limits": {"devices.example.com/kvm": 1}}), web(resources={"claims": [{"name": "a"}]}),
    safe(privileged=True), safe(allowPrivilegeEscalation=True), safe(capabilities={"add": ["SYS_ADMIN"]}),
    safe(capabilities={"drop": ["NET_RAW"]}), safe(runAsUser=0), safe(runAsUser="0"), safe(runAsUser=False),
    safe(runAsGroup=0), safe(runAsNonRoot=False), safe(readOnlyRootFilesystem=False), safe(procMount="Unmasked"),
    safe(seccompProfile={"type": "Unconfined"}), safe(seccompProfile={"type": "Localhost"}), safe(seLinuxOptions={}),
    safe(appArmorProfile={"type": "Unconfined"}), safe(windowsOptions={"hostProcess": True}), safe(runAsNonRoot=None),
    deployment(securityContext={"sysctls": []}), deployment(securityContext=None), web(securityContext=None),
    deployment(securityContext={"supplementalGroups": [0]}), deployment(securityContext={"fsGroup": 0}),
    deployment(serviceAccountName="admin"), deployment(serviceAccount="admin"), deployment(serviceAccountName=None),
    deployment(automountServiceAccountToken=True), deployment(automountServiceAccountToken=None),
    deployment(imagePullSecrets=[{"name": "a"}]), deployment(ephemeralContainers=[WEB]), pod(nodeName="worker-1"),
    deployment(initContainers=[WEB]), web(command=["sh"]), web(args=["-c"]), web(args=None), web(workingDir="/tmp"),
    web(lifecycle={"postStart": {"exec": {"command": ["id"]}}}), web(livenessProbe={"exec": {"command": ["id"]}}),
    web(livenessProbe={"httpGet": {"host": "169.254.169.254", "port": 80}}), web(stdin=True), web(image="web; id"),
    web(env=[ENV]), web(envFrom=[{"secretRef": {"name": "a"}}]), web(env=[{"name": "LD_PRELOAD", "value": "/a.so"}]),
    web(env=[{"name": "JAVA_TOOL_OPTIONS", "value": "-javaagent:/a.jar"}]), web(env=[{"name": "A", "value": {}}]),
    web(env=[{"name": "NODE_OPTIONS", "value": "--max-old-space-size=9 --require /a.js"}]), web(unknown=1),
    deployment(tolerations=[{"operator": "Exists"}]), deployment(nodeSelector={"node-role.kubernetes.io/master": ""}),
    deployment(tolerations=[{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}]),
    deployment(priorityClassName="system-node-critical"), deployment(schedulerName="mine"), deployment(overhead={}),
    deployment(runtimeClassName="runc"), deployment(hostAliases=[]), deployment(resourceClaims=[]),
    deployment(affinity={"nodeAffinity": {"deep": [{"hostPath": "/"}]}}), deployment(affinity={"a b": 1}),
    service(type="LoadBalancer"), service(type="NodePort"), service(type="ExternalName", externalName="a.example.com"),
    service(externalIPs=["192.0.2.1"]), service(loadBalancerIP="192.0.2.1"), service(loadBalancerClass="a"),
    service(ports=[{"port": 80, "nodePort": 30080}]), service(externalTrafficPolicy="Local"),
    thing("PersistentVolumeClaim", spec={"volumeName": "pv-1"}), thing("PersistentVolumeClaim", spec={"claimRef": {}}),
    thing("PersistentVolumeClaim", spec={"volumeMode": "Block"}), thing("ConfigMap", data={"a": {"b": 1}}),
    {**service(), "status": {"loadBalancer": {}}}, {**service(), "spec": None}, {**service(), "more": 1},
    thing("Service", metadata={"name": "kubernetes"}), web(name="linkerd-proxy"), web(name="istio-proxy"),
    thing("ConfigMap", metadata={"name": "kube-root-ca.crt"}), thing("ConfigMap", metadata={"name": "../a"}),
    thing("ConfigMap", metadata={"name": None, "generateName": "a-"}), {**deployment(), "spec": {"$patch": "replace"}},
    deployment({**WEB, "$patch": "delete"}), {**service(), "metadata": None}, {"kind": "Pod"}, {}, [], None, "a", 1,
]  # fmt: skip


@pytest.mark.parametrize("manifest", OBJECTS)
def test_nothing_dangerous_is_written(manifest: Any) -> None:
    verdict = judge_objects([manifest], "apps", "apply")
    assert verdict.decision == "deny"
    assert verdict.reason.endswith(".")


@pytest.mark.parametrize("metadata", [
    {"finalizers": []}, {"ownerReferences": []}, {"uid": "a"}, {"managedFields": []}, {"deletionTimestamp": "a"},
    {"deletionGracePeriodSeconds": 0}, {"generateName": "a-"}, {"labels": None}, {"annotations": []},
    {"annotations": {"a": 1}},
    *({kind: {key: "disabled"}} for kind in ("labels", "annotations") for key in (
        "kustomize.toolkit.fluxcd.io/name", "kustomize.toolkit.fluxcd.io/reconcile", "helm.toolkit.fluxcd.io/name",
        "meta.helm.sh/release-name", "helm.sh/hook", "app.kubernetes.io/managed-by", "config.kubernetes.io/origin",
        "reconcile.fluxcd.io/requestedAt", "linkerd.io/inject", "config.linkerd.io/skip-inbound-ports",
        "sidecar.istio.io/inject", "istio-injection", "proxy.istio.io/config", "pod-security.kubernetes.io/enforce",
        "container.apparmor.security.beta.kubernetes.io/web", "seccomp.security.alpha.kubernetes.io/pod",
        "eks.amazonaws.com/role-arn", "iam.amazonaws.com/role", "azure.workload.identity/use", "aadpodidbinding",
        "nginx.ingress.kubernetes.io/server-snippet", "service.beta.kubernetes.io/aws-load-balancer-type",
        "external-dns.alpha.kubernetes.io/hostname", "vault.hashicorp.com/agent-inject", "k8s.v1.cni.cncf.io/networks",
        "io.kubernetes.cri-o.Devices", "cdi.k8s.io/gpu", "agent-gateway/last-effect", "argocd.argoproj.io/instance",
        "Linkerd.io/inject", "linkerd.io/inject ", "a b", "", "a/b/c")),
])  # fmt: skip
def test_ownership_mesh_and_admission_marks_are_not_written(metadata: dict[str, Any]) -> None:
    assert judge_objects([deployment(metadata=metadata)], "apps", "apply").decision == "deny"
    inner = deployment()
    inner["spec"]["template"]["metadata"] = metadata
    assert judge_objects([inner], "apps", "create").decision == "deny"
