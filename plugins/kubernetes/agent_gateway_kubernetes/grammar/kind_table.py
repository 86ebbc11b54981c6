"""The built-in table of kinds, as text.

A line: plural, kind, versions, short names (or -), uses. Uses are letters: `c` cluster-scoped, `r` on the list of
reads; and what may be done to it after an approval: `m` manifest, `p` patch, `l` label and annotate, `x` delete,
`s` scale, `h` autoscale, `o` rollout, `z` pause and resume, `t` set in its pod template, `e` expose. `g`: has logs.
`f`: a Flux object that may be asked to act. `u`: may be suspended. `!`: never anything, reads included.
"""

from __future__ import annotations

#: Group -> lines. Of two kinds of one name, the first is meant by the bare name.
TABLE = {
    "": """
pods Pod v1 po rmplxteg
services Service v1 svc rmplxeg
replicationcontrollers ReplicationController v1 rc rmplxshteg
configmaps ConfigMap v1 cm rmplx
persistentvolumeclaims PersistentVolumeClaim v1 pvc rmpl
resourcequotas ResourceQuota v1 quota rmplx
limitranges LimitRange v1 limits rmplx
events Event v1 ev r
endpoints Endpoints v1 ep r
podtemplates PodTemplate v1 - r
serviceaccounts ServiceAccount v1 sa r
nodes Node v1 no crl
namespaces Namespace v1 ns cr
persistentvolumes PersistentVolume v1 pv cr
componentstatuses ComponentStatus v1 cs cr
secrets Secret v1 - !
""",
    "apps": """
deployments Deployment v1 deploy rmplxshozteg
statefulsets StatefulSet v1 sts rmplshoteg
daemonsets DaemonSet v1 ds rmplxoteg
replicasets ReplicaSet v1 rs rmplxshteg
controllerrevisions ControllerRevision v1 - r
""",
    "batch": """
jobs Job v1 - rmplxg
cronjobs CronJob v1 cj rmplxt
""",
    "autoscaling": "horizontalpodautoscalers HorizontalPodAutoscaler v2,v1 hpa rmplx",
    "policy": "poddisruptionbudgets PodDisruptionBudget v1 pdb rmplx",
    "networking.k8s.io": """
ingresses Ingress v1 ing rlx
networkpolicies NetworkPolicy v1 netpol r
ingressclasses IngressClass v1 - cr
ipaddresses IPAddress v1,v1beta1 ip cr
servicecidrs ServiceCIDR v1,v1beta1 - cr
""",
    "discovery.k8s.io": "endpointslices EndpointSlice v1 - r",
    "events.k8s.io": "events Event v1 - r",
    "metrics.k8s.io": """
pods PodMetrics v1beta1 - r
nodes NodeMetrics v1beta1 - cr
""",
    "storage.k8s.io": """
storageclasses StorageClass v1 sc cr
csidrivers CSIDriver v1 - cr
csinodes CSINode v1 - cr
csistoragecapacities CSIStorageCapacity v1 - r
volumeattachments VolumeAttachment v1 - cr
volumeattributesclasses VolumeAttributesClass v1,v1beta1 vac cr
""",
    "coordination.k8s.io": "leases Lease v1 - r",
    "scheduling.k8s.io": "priorityclasses PriorityClass v1 pc cr",
    "node.k8s.io": "runtimeclasses RuntimeClass v1 - cr",
    "apiextensions.k8s.io": "customresourcedefinitions CustomResourceDefinition v1 crd,crds cr",
    "apiregistration.k8s.io": "apiservices APIService v1 - cr",
    "admissionregistration.k8s.io": """
mutatingwebhookconfigurations MutatingWebhookConfiguration v1 - cr
validatingwebhookconfigurations ValidatingWebhookConfiguration v1 - cr
validatingadmissionpolicies ValidatingAdmissionPolicy v1 - cr
validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding v1 - cr
mutatingadmissionpolicies MutatingAdmissionPolicy v1beta1,v1alpha1 - cr
mutatingadmissionpolicybindings MutatingAdmissionPolicyBinding v1beta1,v1alpha1 - cr
""",
    "rbac.authorization.k8s.io": """
roles Role v1 - r
rolebindings RoleBinding v1 - r
clusterroles ClusterRole v1 - cr
clusterrolebindings ClusterRoleBinding v1 - cr
""",
    "flowcontrol.apiserver.k8s.io": """
flowschemas FlowSchema v1 - cr
prioritylevelconfigurations PriorityLevelConfiguration v1 - cr
""",
    "certificates.k8s.io": "certificatesigningrequests CertificateSigningRequest v1 csr c",
    "authentication.k8s.io": """
tokenreviews TokenReview v1 - c!
tokenrequests TokenRequest v1 - !
selfsubjectreviews SelfSubjectReview v1 - c!
""",
    "kustomize.toolkit.fluxcd.io": "kustomizations Kustomization v1,v1beta2 ks rfu",
    "helm.toolkit.fluxcd.io": "helmreleases HelmRelease v2,v2beta2,v2beta1 hr rfu",
    "source.toolkit.fluxcd.io": """
gitrepositories GitRepository v1,v1beta2 gitrepo rf
ocirepositories OCIRepository v1,v1beta2 ocirepo rf
helmrepositories HelmRepository v1,v1beta2 helmrepo rf
helmcharts HelmChart v1,v1beta2 hc rf
buckets Bucket v1,v1beta2 - rf
externalartifacts ExternalArtifact v1 - r
""",
    "image.toolkit.fluxcd.io": """
imagerepositories ImageRepository v1,v1beta2 imgrepo,imagerepo rf
imagepolicies ImagePolicy v1,v1beta2 imgpol,imagepol r
imageupdateautomations ImageUpdateAutomation v1,v1beta2 iua,imgupd,imgauto rf
""",
    "notification.toolkit.fluxcd.io": """
alerts Alert v1beta3,v1beta2 - r
providers Provider v1beta3,v1beta2 - -
receivers Receiver v1,v1beta2 - -
""",
    "cert-manager.io": """
certificates Certificate v1 cert,certs r
certificaterequests CertificateRequest v1 cr,crs r
issuers Issuer v1 - r
clusterissuers ClusterIssuer v1 - cr
""",
    "acme.cert-manager.io": """
orders Order v1 - r
challenges Challenge v1 - -
""",
    "external-secrets.io": """
externalsecrets ExternalSecret v1,v1beta1 es r
clusterexternalsecrets ClusterExternalSecret v1,v1beta1 ces cr
secretstores SecretStore v1,v1beta1 ss -
clustersecretstores ClusterSecretStore v1,v1beta1 css c
pushsecrets PushSecret v1alpha1 ps -
""",
    "bitnami.com": "sealedsecrets SealedSecret v1alpha1 - r",
    "monitoring.coreos.com": """
prometheusrules PrometheusRule v1 promrule rmplx
servicemonitors ServiceMonitor v1 smon r
podmonitors PodMonitor v1 pmon r
probes Probe v1 prb r
prometheuses Prometheus v1 prom r
alertmanagers Alertmanager v1 am r
thanosrulers ThanosRuler v1 ruler -
prometheusagents PrometheusAgent v1alpha1 promagent -
scrapeconfigs ScrapeConfig v1alpha1 scfg -
alertmanagerconfigs AlertmanagerConfig v1alpha1 amcfg -
""",
    "gateway.networking.k8s.io": """
gatewayclasses GatewayClass v1 gc cr
gateways Gateway v1 gtw r
httproutes HTTPRoute v1 - r
grpcroutes GRPCRoute v1 - r
tlsroutes TLSRoute v1alpha3,v1alpha2 - r
tcproutes TCPRoute v1alpha2 - r
udproutes UDPRoute v1alpha2 - r
referencegrants ReferenceGrant v1beta1 refgrant r
backendtlspolicies BackendTLSPolicy v1,v1alpha3 btlspolicy r
""",
    "policy.linkerd.io": """
servers Server v1beta3,v1beta2,v1beta1 srv r
serverauthorizations ServerAuthorization v1beta1 saz,serverauthz,srvauthz r
authorizationpolicies AuthorizationPolicy v1alpha1 authzpolicy r
meshtlsauthentications MeshTLSAuthentication v1alpha1 meshtlsauthn r
networkauthentications NetworkAuthentication v1alpha1 netauthn,networkauthn r
httproutes HTTPRoute v1beta3,v1beta2 - r
""",
    "linkerd.io": "serviceprofiles ServiceProfile v1alpha2 sp r",
}
