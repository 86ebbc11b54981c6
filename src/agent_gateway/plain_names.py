"""Names of things in plain language: their grammar, and the words of a sentence that are never meant as one."""

from __future__ import annotations

import re

#: A name, perhaps quoted. What is in quotes is a name whatever it says.
NAME = r"(?:[\"'`][a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?[\"'`]|[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?)"
#: "Weirdly", but not "reply".
_ADVERB = re.compile(r"(?!assembly|anomaly|family|multiply)[a-z]{4,}ly")
_GRAMMAR = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?")

#: Words of a sentence. Something so named must be quoted.
_WORDS = frozenset(
    """a an the this that these those it its they them their there here he she we us you i me my our your one
    ones each every all any some no none nothing something anything everything everyone both either neither
    other another others same such more most less least few many much several half and or but so if then else
    than as at by for from in into inside of off on onto out over per through to toward under until up upon via
    with within without about above across after against along among around before behind below beneath beside
    between beyond down during except like near since not never don't isn't aren't doesn't is are was were be
    been being am do does did done has have had having can could will would shall should may might must get gets
    got go goes going come comes make makes made let see say says said know show list describe give tell want
    need use uses used using work works working worked run runs running ran keep keeps fail fails failed failing
    crash crashes crashed crashing restart restarts restarted restarting start starts started starting stop
    stops stopped stuck pending ready healthy unhealthy broken hang hangs die dies died exist exists happen
    happens happened happening look looks seem seems appear return returns take takes took taking cause causes
    change changes changed update updates updated touch touches find found explain help helps reading writing
    belong belongs belonging regarding concerning including containing matching called named when where why what
    which who whom whose how again also always already still yet just only even maybe now soon today tomorrow
    yesterday tonight later ever often usually currently properly correctly really very too quite okay ok yes
    please thanks hello new old good bad best better worst worse big small large high low slow fast long short
    first last next previous different similar typical normal usual common important right wrong possible
    available general sample simple basic minimal dummy proper terminating completed evicted crashloopbackoff
    imagepullbackoff oomkilled trouble total use case cases order sync action life detail details time times day
    days week weeks month months hour hours minute minutes second seconds year years morning evening night
    weekend monday tuesday wednesday thursday friday saturday sunday january february march april june july
    august september october november december email slack excel pdf csv sheet spreadsheet html tomorrow
    compared comparison vs versus etc eg ie via per plus minus times weekly daily hourly monthly yearly average
    avg maximum minimum max min peak ideal acceptable expected reasonable allowed recommended target typical
    global hidden extra additional open closed running hot cold warm free full empty ready sometimes rarely
    seldom mostly somehow lot lots bit couple pair kind sort somewhere anywhere everywhere nowhere whatever
    whichever whenever instead rather together apart away yesterdays plain clear obvious rock rule matter suck
    rocks rules matters sucks hurt hurts help improve increase decrease reduce lower raise someone anyone
    anybody somebody nobody person people everybody yaml json table namespace namespaces cluster clusters node
    nodes pod pods deployment deployments statefulset statefulsets daemonset daemonsets configmap configmaps
    ingress ingresses secret secrets pvc pvcs hpa hpas replicaset replicasets kustomization kustomizations
    helmrelease helmreleases gitrepository gitrepositories helmrepository helmrepositories helmchart helmcharts
    flux argo service services job cronjob cronjobs workload workloads kubernetes k8s kubectl helm flux
    prometheus docker git github gitlab repo repository loki tempo grafana promql logql""".split()
)
#: What documents, plans and talk are about. A place may have such a name ("the pods in storage"), a thing has not.
_TOPICS = frozenset(
    """procedure procedures process processes policy policies runbook runbooks playbook playbooks guide guides
    guideline guidelines doc docs document documents documentation manual page pages wiki tutorial tutorials
    example examples template templates practice practices standard standards convention conventions rule rules
    requirement requirements checklist step steps instruction instructions strategy strategies plan plans
    schedule schedules window windows freeze approach pattern patterns concept concepts meaning definition
    difference purpose reason reasons problem problems issue issues error errors warning warnings incident
    incidents outage outages postmortem postmortems alert alerts question questions answer answers advice idea
    ideas tip tips trick tricks cost costs price budget owner owners ownership team teams log logs logging
    metric metrics dashboard dashboards graph graphs chart charts trace traces event events usage status state
    states health history version versions name names label labels annotation annotations object objects
    resource resources kind kinds thing things stuff lines output info information manifest manifests spec
    specification configuration config summary overview report reports comparison trend trends statistics stats
    number numbers count counts size sizes container containers image images replica replicas rollout rollouts
    revision revisions rollback rollbacks scaling autoscaling upgrade upgrades migration migrations maintenance
    security networking storage backup backups lifecycle limits limit request requests permission permissions
    access eviction evictions scheduling affinity memory cpu ram disk bandwidth latency traffic load performance
    throughput uptime query queries commit commits discovery mesh balancing selector selectors topology
    disruption priority preemption probe probes readiness liveness sidecar sidecars hardening isolation meeting
    conversation chat message messages call calls session discussion decision opinion feedback review reviews
    comment comments note notes text paragraph sentence explanation judgement judgment thought thoughts world
    company business department office laptop computer router printer internet weather news story family money
    book books training experiment experiments model models architecture design roadmap milestone sprint backlog
    ticket tickets bug bugs feature features release releases launch room network exceptions exception failures
    failure panics fatals timeouts crashes leak leaks throttling limiting pressure quota quotas retention rotation
    format formats level levels parsing aggregation
    sampling tracing alerting alarm alarms sharing tuning optimization profiling temperature
    cores core speed forwarding
    spike spikes peak peaks anomaly anomalies regression regressions bottleneck bottlenecks saturation exhaustion
    allocation overcommit loop loops""".split()
)


#: As its first word these say what a message wants done.
_ORDERS = frozenset(
    """run use take touch hit eat burn consume need serve handle return throw spend produce reach apply modify push
    compare plot draw graph chart visualize visualise write draft compose generate create make build fix
    repair solve reduce lower increase raise improve optimize optimise tune limit cap decrease minimize maximize
    boost cut halve double translate convert save store send mail email post share upload download summarize
    summarise analyze analyse predict forecast estimate calculate compute alert notify remind warn page ping
    watch monitor forget ignore skip stop cancel remember note delete remove drop kill drain evict clean clear
    purge reset wipe rename move copy merge split rewrite refactor review debug investigate diagnose
    troubleshoot document discuss consider imagine suppose assume think guess recommend suggest propose advise
    define teach sing joke praise thank blame prove simulate mock benchmark stress silence mute acknowledge
    schedule plan budget train install restart reboot bounce scale rollback undo suspend resume pause unpause
    reconcile roll cordon uncordon bump upgrade terminate trigger patch edit change replace configure enable disable
    add put set rank rate""".split()
)


def gives_order(words: str) -> bool:
    """Whether the words begin with what is to be done: "reduce", but not "rate of", which is a figure."""
    first, _, rest = words.partition(" ")
    return first in _ORDERS and not rest.startswith(("of ", "count"))


def is_order(name: str, words: str) -> bool:
    """Whether what may be a name is what the words want done: "reduce memory usage"."""
    return name in _ORDERS and words.startswith(f"{name} ")


def read_name(word: str, *, place: bool = False) -> str:
    """The name a word is, without its quotes; empty when it is not meant as one. `place`: what is sought is one."""
    if word[:1] in {'"', "'", "`"}:
        return word[1:-1]
    known = word in _WORDS or (not place and (word in _TOPICS or bool(_ADVERB.fullmatch(word))))
    return word if _GRAMMAR.fullmatch(word) and not known else ""
