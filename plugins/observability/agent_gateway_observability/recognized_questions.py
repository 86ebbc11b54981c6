"""How people ask for a service's figures, its logs and its traces."""

from __future__ import annotations

import re

import agent_gateway as ag

_NAME = rf"(?P<name>{ag.Phrases.NAME})"
_SLOTS = {
    "APP": rf"(?:service |app |application |job |workload |deployment )?{_NAME}(?: service| app| application| deployment| job)?",
    "OF": "of|for|on|from|in|at|to",
    "NOW": "looking|like|doing|at",
    "ERRORS": (
        "(?:http )?5xx(?: error| response)?(?: rates?| ratio| percentage| share| errors| responses)?"
        "|(?:http )?error (?:rates?|ratio|percentage|share)|rate of (?:http )?(?:5xx|errors|5xx errors|5xx responses)"
        "|(?:share|percentage|ratio|rate) of (?:failed|failing) requests|failure rate|500 rate|server error rate"
    ),
    "REQUESTS": (
        "(?:http )?request (?:rate|volume|throughput)|requests? per second|requests/s|req/s|rps|qps|queries per second"
        "|throughput|traffic|rate of requests|(?:http )?requests rate|load in requests per second"
    ),
    "P": r"p(?P<quantile>50|75|90|95|99|999)|(?P<quantile>50|75|90|95|99)(?:th)?(?: percentile)?|(?P<quantile>median)",
    "LATENCY": "(?:request )?latency|latencies|response times?|request durations?|duration",
    "CPU": "cpu(?: usage| consumption| use| load| utili[sz]ation)?",
    "MEMORY": "(?:memory|ram|mem)(?: usage| consumption| use| utili[sz]ation| footprint)?",
    "USES": "uses?|using|consumes?|consuming|takes?|taking|needs?|eating|burning",
    "UP": "up|alive|reachable|down|running|up and running|online|being scraped|responding",
    "RESTARTS": "restarts|restart count|number of restarts|container restarts|pod restarts",
    "MISTAKES": "errors|exceptions|error lines|error messages|error logs|error log lines|failures|panics|stack traces|fatals",
    "LOGS": "logs?|log lines|log output|loki logs|log entries|log messages",
    "TRACES": "traces|requests|spans",
    "LIMIT": r"(?P<limit>\d{1,3})",
    "LONG": r"(?P<duration>\d+(?:\.\d+)? ?(?:ms|milliseconds?|s|secs?|seconds?|m|minutes?)|a second|one second|two seconds)",
    "THAN": "slower than|longer than|over|above|taking longer than|taking more than|that took longer than|that took more than|exceeding|>|>=|that are slower than|with a duration over|of more than|lasting longer than|lasting more than|more than|that took over|taking over",
    "SLOW": "slow|slowest",
    "FAILED": "(?P<errors>failed|failing|error|errored|erroneous|broken)",
    "ERRING": "(?P<errors>with errors|with an error|that failed|that have errors|with error|that errored)",
    "TRACE": r"(?P<trace>[0-9a-f]{16}|[0-9a-f]{32})",
    "TEXT": r"[\"'`](?P<text>[^\"`]{1,200})[\"'`]",
    "WORD": r"(?P<text>[\w./:-]{2,60})",
    "KIND": "recent|latest|last|new|newest|current",
}
_FIGURE = """
    [show] (what is|what are|what was|how high is|how is)* [current|average|KIND] FIGURE OF APP [NOW]
    [show] [what is] APP FIGURE [NOW]
    [show] (what is|what are|what was|how high is)* [current|average] FIGURE [NOW]
"""
_EXTRA = {
    "request_rate": """
        [show] how many (requests per second|requests a second|rps|requests/s) (does|is|are) APP (get|getting|serve|serving|handle|handling|receive|receiving|see|seeing|have|doing|do)
        [show] how much traffic (does|is) APP (get|getting|serve|serving|handle|handling|receive|receiving|see|seeing|have)
    """,
    "error_rate": """
        [show] how many (5xx|5xxs|5xx errors|5xx responses) (does|is|are|did) APP (get|return|returning|serve|serving|have|having|throw|throwing|produce|return)
        [show] (what share of|what percentage of|how many of) requests to APP (fail|failed|are failing|failing|end in 5xx)
        [show] how many (5xx|5xxs|5xx errors|5xx responses) from|of|on|in APP
    """,
    "latency": "",
    "cpu": "[show] how much CPU (does|is|did) APP (USES)",
    "memory": "[show] how much MEMORY (does|is|did) APP (USES)",
    "restarts": """
        [show] how often did|has|does APP restart|restarted
        [show] how many times did|has|does APP restart|restarted
        [show] how many RESTARTS (did|has|does)* APP have|had
        [show] how many RESTARTS of|for APP
    """,
    "up": """
        is|are|if|whether APP UP
        [show] (what is)* uptime|availability of|for APP
        [show] up of|for APP
    """,
}
_FIGURES = {
    "request_rate": "(REQUESTS)",
    "error_rate": "(ERRORS)",
    "latency": "(P LATENCY|LATENCY P|P|LATENCY)",
    "cpu": "(CPU)",
    "memory": "(MEMORY)",
    "restarts": "(RESTARTS)",
    "up": "(target status|scrape status|up metric)",
}
#: Name of the query -> how it is asked for.
METRICS = {
    name: ag.Phrases(_FIGURE.replace("FIGURE", figure) + _EXTRA[name], _SLOTS) for name, figure in _FIGURES.items()
}
#: Queries that are about no service.
EVERYBODY = {
    "targets_down": ag.Phrases(
        """
        [show] what|which [prometheus] targets|scrape-targets|jobs are|is down|unreachable|failing
        [show] down|unreachable|failing [prometheus] targets
        [show] [prometheus] targets [that] [are] down|unreachable|failing
        are there down|unreachable|failing targets
        """
    ),
    "firing_alerts": ag.Phrases(
        """
        [show] [what|which] [are] firing|active [prometheus] alerts [are there]
        [show] what|which [prometheus] alerts (are|is) [currently] firing|active
        [show] [prometheus] alerts [that are] firing|active
        are there firing|active alerts
        are alerts firing
        is anything|something firing
        [show] what is firing
        """
    ),
}
QUANTILES = {"50": "0.5", "median": "0.5", "75": "0.75", "90": "0.9", "95": "0.95", "99": "0.99", "999": "0.999"}
LOG_ERRORS = ag.Phrases(
    """
    [show] [what|which] [are] (KIND)* MISTAKES (in|from|of|for) LOGS (of|for|from|in|by) APP
    [show] [what|which] [are] (KIND)* MISTAKES (are)* [in] APP LOGS
    [show] [what|which] [are] (KIND)* MISTAKES logged|thrown|written by APP
    are|were|is there [been] (KIND)* MISTAKES in LOGS (of|for|from) APP
    are|were|is there [been] (KIND)* MISTAKES in APP LOGS
    search|grep|scan|check LOGS of|for|from APP for MISTAKES
    search|grep|scan|check APP LOGS for MISTAKES
    [show] LOGS (of|for|from) APP with MISTAKES
    [show] (KIND)* MISTAKES in|from LOGS
    [show] (KIND)* (error logs|error log lines|error log) (of|for|from) APP
    [show] APP (error logs|error log lines|error log)
    does|did APP log MISTAKES
    """,
    _SLOTS,
)
LOG_SEARCH = ag.Phrases(
    """
    search|grep|scan|filter LOGS (of|for|from|in) APP for TEXT
    search|grep|scan|filter APP LOGS for TEXT
    search|grep|scan|filter LOGS (of|for|from|in) APP for WORD
    search|grep|scan|filter APP LOGS for WORD
    grep|search [for] TEXT in LOGS (of|for|from) APP
    grep|search [for] TEXT in APP LOGS
    grep|search [for] WORD in LOGS (of|for|from) APP
    grep|search [for] WORD in APP LOGS
    [show] LOGS (of|for|from) APP (containing|matching|that contain|which contain|mentioning|with) TEXT
    [show] LOGS (of|for|from) APP (containing|matching|that contain|which contain|mentioning) WORD
    [show] APP LOGS (containing|matching|that contain|which contain|mentioning|with) TEXT
    [show] APP LOGS (containing|matching|that contain|which contain|mentioning) WORD
    [show] LOGS (containing|matching|that contain|mentioning|with) TEXT (of|for|from|in) APP
    """,
    _SLOTS,
)
LOGS = ag.Phrases(
    """
    [show] (KIND)* [loki] LOGS (of|for|from) APP [in|from|with|via] [loki]
    [show] APP [loki] LOGS [in|from|with|via] [loki]
    query|ask|search loki for LOGS (of|for|from) APP
    query|ask|search loki for APP LOGS
    [show] what does loki have for|on|about APP
    """,
    _SLOTS,
)
TRACES = ag.Phrases(
    """
    [show] [trace|trace id|trace with id] TRACE
    [show] trace [with] [id] TRACE
    [show] (KIND|LIMIT|slow|slowest|SLOW)* [FAILED] traces (of|for|from|in|through|involving) APP [ERRING] [THAN LONG] [ERRING]
    [show] (KIND|LIMIT)* [FAILED] APP traces [ERRING] [THAN LONG] [ERRING]
    [show] traces [ERRING] [THAN LONG] (of|for|from|in) APP [ERRING]
    [show] (KIND|LIMIT)* [FAILED] traces THAN LONG [ERRING]
    [show] (KIND|LIMIT)* FAILED traces
    [show] (KIND|LIMIT)* traces ERRING
    [show] [what|which] TRACES (of|for|from|in|to) APP [that] [took|take|are|were] THAN LONG
    are there [KIND] [FAILED] traces (of|for|from) APP [ERRING] [THAN LONG]
    """,
    _SLOTS,
)


def read_duration(words: str) -> str:
    """A length of time as `1s`, `500ms` or `2m`."""
    words = words.replace("a second", "1s").replace("one second", "1s").replace("two seconds", "2s")
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(m(?:s|illi)?|s|m)?\w*", words)
    if found is None:
        return words
    unit = "ms" if found[2] in {"ms", "milli"} else found[2] or "s"
    return f"{found[1]}{unit}"
