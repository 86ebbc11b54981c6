"""What may reach an API server, told from the request alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from plugins.kubernetes.agent_gateway_kubernetes.request_guard import check_request

import agent_gateway as ag

PODS = "/api/v1/namespaces/apps/pods"
WEB = "/apis/apps/v1/namespaces/apps/deployments/web"
SERVICE = "/api/v1/namespaces/apps/services/web"
LOG = (("tailLines", "10"), ("limitBytes", "1000"))
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
DELETION = {"kind": "DeleteOptions", "preconditions": {"uid": "u"}}


def allows(method: str, path: str, *query: tuple[str, str], body: Any = None, kind: str = "application/json") -> bool:
    encoded = b"" if body is None else json.dumps(body).encode()
    try:
        check_request(ag.ApiRequest(method=method, path=path, query=query, body=encoded, content_type=kind))
    except ag.Forbidden as refused:
        return refused.code != "request_refused"
    return True


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/version", ()),
        ("/api/v1", ()),
        ("/apis/apps/v1", ()),
        ("/openapi/v2", ()),
        (PODS, (("limit", "5"), ("labelSelector", "app=secret"))),
        ("/api/v1/pods", (("includeObject", "Object"),)),
        (f"{PODS}/secrets", ()),
        ("/api/v1/namespaces/secrets/pods", ()),
        ("/api/v1/nodes/worker-1", ()),
        ("/api/v1/namespaces/apps", ()),
        (f"{WEB}/scale", ()),
        (f"{PODS}/web-0/log", LOG),
        (PODS, (("watch", "true"), ("timeoutSeconds", "30"))),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node", ()),
        ("/apis/metrics.k8s.io/v1beta1/pods", ()),
    ],
)
def test_a_read_passes(path: str, query: tuple[tuple[str, str], ...]) -> None:
    assert allows("GET", path, *query)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/v1/secrets", ()),
        ("/api/v1/namespaces/apps/secrets", ()),
        ("/api/v1/namespaces/apps/secrets/db", ()),
        ("/api/v1/watch/secrets", ()),
        ("/api/v1/proxy/nodes/x", ()),
        ("/api/v1/nodes/worker-1/proxy/pods", ()),
        ("/api/v1/nodes/worker-1/proxy", ()),
        (f"{PODS}/web-0/exec", (("command", "id"),)),
        (f"{PODS}/web-0/attach", ()),
        (f"{PODS}/web-0/portforward", ()),
        ("/api/v1/namespaces/apps/services/web/proxy", ()),
        ("/api/v1/namespaces/apps/serviceaccounts/default/token", ()),
        (f"{PODS}/web-0/log", ()),
        (f"{PODS}/web-0/log", (("tailLines", "10"),)),
        (f"{PODS}/web-0/log", (*LOG, ("follow", "true"))),
        (f"{PODS}/web-0/log", (("tailLines", "-1"), ("limitBytes", "10"))),
        (f"{PODS}/web-0/log", (("tailLines", "10"), ("limitBytes", "99999999"))),
        (f"{PODS}/web-0/log", (*LOG, ("insecureSkipTLSVerifyBackend", "true"))),
        (PODS, (("watch", "true"),)),
        (PODS, (("watch", "1"), ("timeoutSeconds", "30"))),
        (PODS, (("watch", "true"), ("timeoutSeconds", "3600"))),
        (PODS, (("limit", "1"), ("limit", "2"))),
        (PODS, (("pretty", "true"),)),
        (f"{PODS}/../secrets/db", ()),
        (f"{PODS}/web%2F..", ()),
        (f"{PODS}/web-0?watch=true", ()),
        (f"{PODS}/", ()),
        ("/api/v1/namespaces/apps/pods/a/b/c", ()),
        ("/logs/kube-apiserver.log", ()),
        ("/metrics", ()),
        ("/debug/pprof", ()),
        ("/apis/x/../api/v1/secrets", ()),
        ("/version", (("timeout", "1"),)),
        ("api/v1/pods", ()),
    ],
)
def test_a_read_does_not_pass(path: str, query: tuple[tuple[str, str], ...]) -> None:
    assert not allows("GET", path, *query)


def test_questions_about_oneself_pass_and_others_do_not() -> None:
    group = "/apis/authorization.k8s.io/v1"
    assert allows("POST", f"{group}/selfsubjectaccessreviews", body={"kind": "SelfSubjectAccessReview"})
    assert not allows("POST", f"{group}/subjectaccessreviews", body={"kind": "SubjectAccessReview"})
    assert not allows("POST", "/apis/authentication.k8s.io/v1/tokenreviews", body={"kind": "TokenReview"})


@pytest.mark.parametrize(
    ("method", "path", "body", "kind"),
    [
        ("PATCH", WEB, {"spec": {"replicas": 3}}, MERGE),
        ("PATCH", WEB, [{"op": "replace", "path": "/spec/replicas", "value": 2}], JSON_PATCH),
        ("PATCH", WEB, {"metadata": {"labels": {"tier": None}}}, MERGE),
        ("PATCH", WEB, {"spec": {"template": {"metadata": {"annotations": {"linkerd.io/inject": "enabled"}}}}}, MERGE),
        ("PUT", "/api/v1/namespaces/apps/configmaps/c", {"kind": "ConfigMap", "data": {"privileged": "x"}}, ""),
        ("POST", "/api/v1/namespaces/apps/services", {"kind": "Service", "spec": {"type": "ClusterIP"}}, ""),
        ("POST", f"{PODS}/web-0/eviction", {"kind": "Eviction"}, ""),
        ("DELETE", f"{PODS}/web-0", DELETION, ""),
        ("DELETE", f"{PODS}/web-0", {**DELETION, "dryRun": ["All"]}, ""),
        ("PATCH", "/api/v1/nodes/worker-1", {"spec": {"unschedulable": True}}, MERGE),
        (
            "PATCH",
            "/apis/helm.toolkit.fluxcd.io/v2beta1/namespaces/apps/helmreleases/web",
            {"spec": {"suspend": True}, "metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "now"}}},
            MERGE,
        ),
    ],
)
def test_a_write_passes(method: str, path: str, body: Any, kind: str) -> None:
    assert allows(method, path, body=body, kind=kind or "application/json")


def spec(**fields: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [fields]}}}}


@pytest.mark.parametrize(
    ("method", "path", "body", "kind"),
    [
        # places
        ("POST", "/api/v1/namespaces/apps/secrets", {"kind": "Secret"}, ""),
        ("DELETE", "/api/v1/namespaces/apps/secrets/db", DELETION, ""),
        ("POST", "/api/v1/namespaces/apps/serviceaccounts/default/token", {"kind": "TokenRequest"}, ""),
        ("POST", f"{PODS}/web-0/exec", {}, ""),
        ("POST", f"{PODS}/web-0/binding", {"kind": "Binding"}, ""),
        ("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/apps/rolebindings", {"kind": "RoleBinding"}, ""),
        ("PATCH", "/apis/rbac.authorization.k8s.io/v1/clusterroles/view", {"rules": []}, MERGE),
        ("PUT", "/apis/certificates.k8s.io/v1/certificatesigningrequests/x/approval", {}, ""),
        ("PATCH", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/x", {}, MERGE),
        ("PATCH", "/apis/apps/v1/namespaces/kube-system/deployments/coredns", {"spec": {"replicas": 0}}, MERGE),
        ("PATCH", "/apis/apps/v1/namespaces/linkerd-viz/deployments/web", {"spec": {"replicas": 0}}, MERGE),
        ("POST", "/api/v1/namespaces", {"kind": "Namespace"}, ""),
        ("DELETE", "/api/v1/namespaces/apps", DELETION, ""),
        ("PUT", "/api/v1/namespaces/apps/finalize", {}, ""),
        ("DELETE", "/api/v1/nodes/worker-1", DELETION, ""),
        ("DELETE", "/api/v1/namespaces/apps/persistentvolumeclaims/data", DELETION, ""),
        ("DELETE", "/apis/networking.k8s.io/v1/namespaces/apps/networkpolicies/deny", DELETION, ""),
        ("DELETE", PODS, DELETION, ""),
        ("PATCH", f"{WEB}/status", {"status": {}}, MERGE),
        ("PATCH", f"{WEB}/scale", {"spec": {"replicas": 1}}, MERGE),
        ("PUT", "/version", {}, ""),
        # deletions
        ("DELETE", f"{PODS}/web-0", {"kind": "DeleteOptions"}, ""),
        ("DELETE", f"{PODS}/web-0", {**DELETION, "gracePeriodSeconds": 0}, ""),
        ("DELETE", f"{PODS}/web-0", {**DELETION, "propagationPolicy": "Orphan"}, ""),
        ("DELETE", f"{PODS}/web-0", {**DELETION, "dryRun": []}, ""),
        # bodies
        ("PATCH", WEB, spec(securityContext={"privileged": True}), MERGE),
        ("PATCH", WEB, spec(securityContext={"capabilities": {"add": ["SYS_ADMIN"]}}), MERGE),
        ("PATCH", WEB, {"spec": {"template": {"spec": {"hostNetwork": True}}}}, MERGE),
        ("PATCH", WEB, {"spec": {"template": {"spec": {"volumes": [{"hostPath": {"path": "/"}}]}}}}, MERGE),
        ("PATCH", WEB, {"metadata": {"finalizers": []}}, MERGE),
        ("PATCH", WEB, {"metadata": {"ownerReferences": []}}, MERGE),
        ("PATCH", WEB, {"metadata": {"annotations": {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}}}, MERGE),
        ("PATCH", WEB, {"metadata": {"labels": {"helm.toolkit.fluxcd.io/name": None}}}, MERGE),
        ("PATCH", WEB, {"spec": {"template": {"metadata": {"annotations": {"linkerd.io/inject": "disabled"}}}}}, MERGE),
        ("PATCH", WEB, {"status": {"readyReplicas": 9}}, MERGE),
        ("PATCH", WEB, {"spec": {}}, "text/plain"),
        ("PATCH", WEB, "not an object", MERGE),
        ("PATCH", WEB, [{"op": "add", "path": "/spec/template/spec/hostPID", "value": True}], JSON_PATCH),
        ("PATCH", WEB, [{"op": "add", "path": "/metadata/labels/pod-security.kubernetes.io~1enforce", "value": ""}],
         JSON_PATCH),
        ("PATCH", WEB, [{"op": "remove", "path": "/metadata/labels/helm.toolkit.fluxcd.io~1name"}], JSON_PATCH),
        ("PATCH", WEB, [{"op": "copy", "from": "/spec", "path": "/metadata/annotations/x"}], JSON_PATCH),
        ("PATCH", WEB, [{"op": "add", "path": "/spec/template/spec/volumes", "value": [{"hostPath": {"path": "/"}}]}],
         JSON_PATCH),
        ("PATCH", WEB, [{"op": "replace", "path": "/status/replicas", "value": 1}], JSON_PATCH),
        ("PATCH", SERVICE, {"spec": {"type": "LoadBalancer"}}, MERGE),
        ("PATCH", SERVICE, [{"op": "replace", "path": "/spec/type", "value": "NodePort"}],
         JSON_PATCH),
        ("PATCH", SERVICE, [{"op": "add", "path": "/spec/externalIPs/0", "value": "1"}],
         JSON_PATCH),
        ("PATCH", "/api/v1/nodes/worker-1", {"spec": {"podCIDR": "10.0.0.0/8"}}, MERGE),
        ("PATCH", "/api/v1/nodes/worker-1", {"metadata": {"labels": {"node-role.kubernetes.io/x": ""}}}, MERGE),
        ("PATCH", "/apis/source.toolkit.fluxcd.io/v1/namespaces/apps/gitrepositories/a", {"spec": {"url": "x"}}, MERGE),
        ("PATCH", "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/apps/kustomizations/a", {"spec": {"prune": False}},
         MERGE),
        ("PATCH", "/apis/notification.toolkit.fluxcd.io/v1/namespaces/apps/receivers/a", {"spec": {"suspend": True}},
         MERGE),
        ("POST", "/api/v1/namespaces/apps/configmaps", {"kind": "List", "items": []}, ""),
    ],
)  # fmt: skip
def test_a_write_does_not_pass(method: str, path: str, body: Any, kind: str) -> None:
    assert not allows(method, path, body=body, kind=kind or "application/json")


@pytest.mark.parametrize(
    "query", [("dryRun", "None"), ("fieldManager", "kustomize-controller"), ("force", "true"), ("orphan", "x")]
)
def test_parameters_of_a_write_are_those_of_the_gateway(query: tuple[str, str]) -> None:
    assert allows("PATCH", WEB, ("dryRun", "All"), ("fieldManager", "agent-gateway"), body={"spec": {}}, kind=MERGE)
    assert not allows("PATCH", WEB, query, body={"spec": {}}, kind=MERGE)


def test_a_deletion_has_no_parameters_that_the_server_would_not_look_at() -> None:
    assert not allows("DELETE", f"{PODS}/web-0", ("dryRun", "All"), body=DELETION)


def test_a_very_deep_body_does_not_pass() -> None:
    body: dict[str, Any] = {}
    for _ in range(100):
        body = {"a": body}
    assert not allows("PATCH", WEB, body=body, kind=MERGE)


def signing(**changed: Any) -> list[dict[str, Any]]:
    entry = "/metadata/managedFields/0"
    operations = [
        {"op": "test", "path": "/metadata/uid", "value": "u"},
        {"op": "test", "path": f"{entry}/manager", "value": "agent-gateway"},
        {"op": "test", "path": f"{entry}/operation", "value": "Update"},
        {"op": "replace", "path": f"{entry}/operation", "value": "Apply"},
    ]
    return [*operations[:-1], {**operations[-1], **changed}]


def test_only_the_gateways_own_fields_are_handed_to_server_side_apply() -> None:
    assert allows("PATCH", WEB, body=signing(), kind=JSON_PATCH)
    others = [
        signing(path="/metadata/managedFields", value=[{}]),
        signing(path="/metadata/managedFields/0/manager", value="flux"),
        signing()[1:],
        [*signing(), {"op": "remove", "path": "/metadata/managedFields/1"}],
        [{**each, "value": "flux"} if each["path"].endswith("manager") else each for each in signing()],
    ]
    for body in others:
        assert not allows("PATCH", WEB, body=body, kind=JSON_PATCH)
