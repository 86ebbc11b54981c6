"""Names of things in plain language: their grammar, and the words of a sentence that are never meant as one."""

from __future__ import annotations

import re

#: A name, perhaps quoted. What is in quotes is a name whatever it says.
NAME = r"(?:[\"'`][a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?[\"'`]|[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?)"
_GRAMMAR = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?")

#: Words of a sentence, and what documents, people and plans are about. An object so named must be quoted.
_NO_NAMES = frozenset(
    """a an the this that these those it its they them their there here he she we us you i me my our your one ones
    each every all any some no none nothing something anything everything everyone both either neither other another
    others same such more most less least few many much several
    and or but so if then else than as at by for from in into inside of off on onto out over per through to toward
    under until up upon via with within without about above across after against along among around before behind
    below beneath beside between beyond down during except like near since
    not never n't don't isn't aren't doesn't
    is are was were be been being am do does did done has have had having can could will would shall should may might
    must get gets got go goes going come comes make makes made let see say says said know show list describe give
    tell want need use uses used using work works working worked run runs running ran keep keeps fail fails failed
    failing crash crashes crashed crashing restart restarts restarted restarting start starts started starting stop
    stops stopped stuck pending ready healthy unhealthy broken hang hangs die dies died exist exists happen happens
    happened happening look looks seem seems appear return returns take takes took taking cause causes change changes
    changed update updates updated
    when where why what which who whom whose how again also always already still yet just only even maybe now soon
    today tomorrow yesterday tonight later ever often usually currently properly correctly really very too quite
    okay ok yes please thanks hello
    new old good bad best better worst worse big small large high low slow fast long short first last next previous
    different similar typical normal usual common important right wrong possible available general
    procedure procedures process processes policy policies runbook runbooks playbook playbooks guide guides guideline
    guidelines doc docs document documents documentation manual page pages wiki tutorial tutorials example examples
    template templates practice practices standard standards convention conventions rule rules requirement
    requirements checklist step steps instruction instructions strategy strategies plan plans schedule schedules
    window windows freeze process approach pattern patterns concept concepts meaning definition difference purpose
    reason reasons problem problems issue issues error errors warning warnings incident incidents outage outages
    postmortem postmortems alert alerts question questions answer answers help advice idea ideas tip tips trick tricks
    cost costs price budget owner owners ownership team teams people person someone anyone somebody anybody
    log logs logging metric metrics dashboard dashboards graph graphs chart charts trace traces event events usage
    status state states health history version versions name names label labels annotation annotations namespace
    namespaces cluster clusters node nodes object objects resource resources kind kinds thing things stuff lines
    yaml json table output details detail information info manifest manifests spec specification configuration config
    summary overview report reports comparison trend trends statistics stats number numbers count counts size sizes
    kubernetes k8s kubectl helm flux docker container containers image images replica replicas
    rollout rollouts revision revisions rollback rollbacks scaling autoscaling upgrade upgrades migration migrations
    maintenance security networking storage lifecycle limits limit request requests permission
    permissions access time times day days week weeks month months hour hours minute minutes second seconds
    eviction evictions scheduling affinity crashloopbackoff imagepullbackoff oomkilled
    terminating completed evicted trouble total general use case cases order sync action life
    memory cpu ram disk bandwidth latency traffic load performance throughput uptime query queries commit commits git
    github repo repository loki tempo grafana promql logql main master""".split()
)


def read_name(word: str) -> str:
    """The name a word is, without its quotes; empty when it is not meant as one."""
    if word[:1] in {'"', "'", "`"}:
        return word[1:-1]
    return word if _GRAMMAR.fullmatch(word) and word not in _NO_NAMES else ""
