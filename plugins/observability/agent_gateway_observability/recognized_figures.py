"""How people ask for a service's figures: rates, latency, use of resources, whether it is up."""

from __future__ import annotations

import agent_gateway as ag

_SLOTS = {
    "APP": (
        rf"(?:service |app |application |job |workload |deployment )?(?P<name>{ag.Phrases.NAME})"
        "(?: service| app| application| deployment| job)?"
    ),
    "OF": "of|for|on|from|by",
    "ASKED": "what (?:is|are|was|were)|how high (?:is|are|was|were)|how (?:is|was|much is)",
    "NOW": "looking|like|doing|at",
    "AUX": "does|did|is|has|was|do|are|had",
    "DOING": (
        "gets?|getting|serves?|serving|handles?|handling|receives?|receiving|sees?|seeing|have|having|has|do|doing"
        "|uses?|using|used|consumes?|consuming|takes?|taking|needs?|returns?|returning|throws?|throwing|produce"
        "|producing|had"
    ),
    "FAILED": "failed|fail|fails|are failing|failing|end in 5xx",
    "SHARE": "what (?:share|percentage|ratio|fraction|proportion)",
    "ERRORS": (
        "(?:http )?5xxs?(?: error| response)?(?: rates?| ratio| percentage| share| errors| responses)?"
        "|(?:http |server )?error (?:rates?|ratio|percentage|share)"
        "|rate of (?:http )?(?:5xx|errors|5xx errors|5xx responses)"
        "|(?:share|percentage|ratio|rate|proportion) of (?:http )?(?:failed|failing|5xx|error) (?:requests|responses)"
        "|failure rate|500 rate"
    ),
    "REQUESTS": (
        "(?:http )?request (?:rate|volume|throughput)|requests? per second|requests? a second|requests/s|req/s|rps|qps"
        "|queries per second|throughput|traffic|rate of requests|(?:http )?requests rate"
    ),
    "P": r"p(?P<quantile>50|75|90|95|99|999)|(?P<quantile>50|75|90|95|99)th(?: percentile)?|(?P<quantile>median)",
    "LATENCY": "(?:request )?latency|latencies|response times?|request durations?|duration",
    "CPU": "cpu(?: usage| consumption| use| load| utili[sz]ation)?",
    "MEMORY": "(?:memory|ram|mem)(?: usage| consumption| use| utili[sz]ation| footprint)?",
    "UP": ("up|alive|reachable|down|running|up and running|online|being scraped|responding|available|working|healthy"),
    "RESTARTS": "restarts|restart count|number of restarts|container restarts|pod restarts",
    "KIND": "recent|latest|last|new|newest|current",
}
_FIGURE = """
    [show] [ASKED] [average|KIND] FIGURE OF APP [NOW]
    [show] [ASKED] APP [average|KIND] FIGURE [NOW]
    [show] [ASKED] [average|KIND] FIGURE [NOW]
    [show] how many|much|high FIGURE AUX APP DOING
    [show] what FIGURE AUX APP DOING
    [show] [how much|what] FIGURE [is|was] used|consumed|served|handled|needed by APP
"""
#: Name of the query -> the figure it is, and other ways to ask for it.
_FIGURES = {
    "request_rate": (
        "(REQUESTS)",
        """
        [show] how many requests|queries AUX APP DOING [per second|a second]
        [show] REQUESTS [hitting|going to|to|reaching] APP
        """,
    ),
    "error_rate": (
        "(ERRORS)",
        """
        [show] how many ERRORS from|of|on|in APP
        [show] SHARE of requests to APP FAILED
        [show] SHARE of APP requests FAILED
        [show] how many of requests to APP FAILED
        [show] ERRORS APP
        """,
    ),
    "latency": (
        "(P LATENCY|LATENCY P|P|LATENCY)",
        """
        [show] [ASKED] LATENCY OF APP P
        [show] [ASKED] P of APP LATENCY
        [show] P [LATENCY] APP
        """,
    ),
    "cpu": ("(CPU)", ""),
    "memory": ("(MEMORY)", ""),
    "restarts": (
        "(RESTARTS)",
        """
        has|did APP restart|restarted
        [show] (how often|how many times) did|has|does APP restart|restarted
        [show] how many RESTARTS (did|has|does)* APP have|had
        [show] how many RESTARTS of|for APP
        """,
    ),
    "up": (
        "(target status|scrape status|up metric)",
        """
        is|are|if|whether APP UP [or UP]
        [show] if|whether|that APP is UP [or UP]
        [show] [what is] uptime|availability of|for APP
        """,
    ),
}
METRICS = {
    name: ag.Phrases(_FIGURE.replace("FIGURE", figure) + others, _SLOTS) for name, (figure, others) in _FIGURES.items()
}
#: "Basket up?", with its question mark.
UP_ASKED = ag.Phrases("APP UP", _SLOTS)
#: Queries that are about no service.
EVERYBODY = {
    "targets_down": ag.Phrases(
        """
        [show] what|which [prometheus] targets|jobs are|is down|unreachable|failing
        [show] [prometheus] targets [that] [are] down|unreachable|failing
        [show] down|unreachable|failing [prometheus] targets
        are there down|unreachable|failing targets
        """
    ),
    "firing_alerts": ag.Phrases(
        """
        [show] [what|which] [are] firing|active [prometheus] alerts [are there]
        [show] what|which [prometheus] alerts are|is firing|active
        [show] [prometheus] alerts [that are] firing|active
        are there firing|active alerts
        are alerts firing
        is anything|something firing
        [show] what is firing
        """
    ),
}
_VERBS = """use uses using used consume consumes consuming consumed take takes taking need needs needing handle handles
    handling serve serves serving receive receives receiving return returns returning returned hit hits hitting incoming
    goes go going coming comes
    produce produces producing average moment burn burns burning eat eats eating hog hogs hogging draw draws drawing
    chew chews chewing occupy occupies occupying require requires spend spends spending throw throws throwing emit emits
    emitting respond responds responding reply process processes processing up figure figures number numbers value
    values per minute second load much many high often big large high-level rate time times fast quick quickly
    job workload deployment metric metrics stat stats"""
_LATENCY = "slow long percentile request requests latency latencies response responses time times duration durations"
_FAILING = (
    "fail|fails|failed|failing|errored|erroring|error|errors|erroneous|5xx|5xxs|broken|go wrong|going wrong|went wrong"
)
_CALLS = "requests?|calls?|responses?|http requests?|api calls?"
#: The same figures, named in any order.
METRIC_GISTS = {
    "request_rate": (
        ag.Gist(_SLOTS["REQUESTS"], fillers=_VERBS, named=True),
        ag.Gist(_CALLS, "per second|a second|per minute|each second", fillers=_VERBS, named=True),
    ),
    "error_rate": (
        ag.Gist(_SLOTS["ERRORS"] + "|rate of errors", fillers=_VERBS, named=True),
        ag.Gist(_CALLS, _FAILING, fillers=f"{_VERBS} share percentage ratio fraction proportion percent", named=True),
        ag.Gist("errors?|failures?|5xx", "rate|ratio|percentage|share|quota", fillers=_VERBS, named=True),
    ),
    "latency": (
        ag.Gist(_SLOTS["P"], fillers=f"{_VERBS} {_LATENCY}", named=True),
        ag.Gist(_SLOTS["LATENCY"], fillers=f"{_VERBS} {_LATENCY}", named=True),
    ),
    "cpu": (ag.Gist(f"{_SLOTS['CPU']}|cores?|cpu cores?|processor", fillers=f"{_VERBS} hard cpu cores", named=True),),
    "memory": (
        ag.Gist(_SLOTS["MEMORY"], fillers=f"{_VERBS} memory bytes mb gb mib gib megabytes gigabytes", named=True),
    ),
    "restarts": (
        ag.Gist(
            "restarts|restarted|restart count|restarting",
            fillers=f"{_VERBS} count container pod pods",
            named=True,
        ),
    ),
}
QUANTILES = {"50": "0.5", "median": "0.5", "75": "0.75", "90": "0.9", "95": "0.95", "99": "0.99", "999": "0.999"}
