"""How people ask for what a service has logged, and for its traces."""

from __future__ import annotations

import re

import agent_gateway as ag

_SLOTS = {
    "APP": (
        rf"(?:service |app |application |job |workload |deployment )?(?P<name>{ag.Phrases.NAME})"
        "(?: service| app| application| deployment| job)?"
    ),
    "OF": "of|for|from|in|by",
    "MISTAKES": (
        "errors?|exceptions?|error lines|error messages|error logs|error log lines|failures|panics|stack traces|fatals"
    ),
    "LOGS": "logs?|log lines|log output|loki logs|log entries|log messages",
    "ERROR_LOGS": "error logs?|error log lines",
    "SEARCH": "search|grep|scan|filter|look(?: in)?|check|search in|grep in|look through|search through",
    "FIND": "show|grep|search|scan|look|find|search for|look for|grep for",
    "HOLDING": "containing|matching|that contain|which contain|mentioning|with",
    "LIMIT": r"(?P<limit>\d{1,3})",
    "LONG": (
        r"(?P<duration>\d+(?:\.\d+)? ?(?:ms|milliseconds?|s|secs?|seconds?|m|minutes?)|a second|one second|two seconds)"
    ),
    "THAN": (
        "(?:(?:that|which) (?:are|were|took|take|last) |taking |took |lasting |with (?:an? )?durations? |are |were )?"
        "(?:slower than|longer than|more than|over|above|exceeding|>=?|of more than)"
    ),
    "FAILED": "(?P<errors>failed|failing|error|errored|erroneous|broken)",
    "ERRING": "(?P<errors>with errors|with an error|that failed|that have errors|with error|that errored)",
    "TRACE": r"(?P<trace>[0-9a-f]{16}|[0-9a-f]{32})",
    "TEXT": r"[\"'`](?P<text>[^\"`]{1,200})[\"'`]",
    "WORD": r"(?P<text>[\w./:-]{2,60})",
    "KIND": "recent|latest|last|new|newest|current|recorded",
}
LOG_ERRORS = ag.Phrases(
    """
    [show] [what|which] [are] (KIND)* MISTAKES [are|were|is|that are] OF LOGS OF APP
    [show] [what|which] [are] (KIND)* MISTAKES [are|were|is|that are] [in|from|of] APP LOGS
    [show] [what|which] [are] (KIND)* MISTAKES logged|thrown|written by APP
    [show] (KIND)* MISTAKES in|from LOGS
    [show] (KIND)* ERROR_LOGS OF APP
    [show] APP ERROR_LOGS
    [show] APP log MISTAKES
    [show] MISTAKES APP [has] logged|threw|reported
    [show] error messages|lines from|of APP
    [show] LOGS OF APP with MISTAKES
    (are|were|is) there [been] (KIND)* MISTAKES in LOGS OF APP
    (are|were|is) there [been] (KIND)* MISTAKES in APP LOGS
    FIND MISTAKES in|from LOGS OF APP
    FIND MISTAKES in|from APP LOGS
    SEARCH LOGS OF APP for MISTAKES
    SEARCH APP LOGS for MISTAKES
    does|did APP log MISTAKES
    [show] what|which MISTAKES did|does|has|is APP log|logged|throw|thrown|throwing|report|reported|logging
    """,
    _SLOTS,
)
LOG_ERROR_GIST = ag.Gist(
    f"{_SLOTS['MISTAKES']}|errors?|stacktraces?|tracebacks?",
    "logs?|logged|logging|logging|log lines|log output|logfile|loki",
    fillers="""recent latest newest last look search scan grep check lines line messages message entries output only
        thrown written reported new file error lately from find contain contains contained throw throws""",
    named=True,
)
LOG_SEARCH = ag.Phrases(
    """
    SEARCH LOGS OF APP for TEXT
    SEARCH APP LOGS for TEXT
    SEARCH LOGS OF APP for WORD
    SEARCH APP LOGS for WORD
    FIND TEXT in LOGS OF APP
    FIND TEXT in APP LOGS
    (grep|search) [for] WORD in LOGS OF APP
    (grep|search) [for] WORD in APP LOGS
    [show] LOGS OF APP HOLDING TEXT
    [show] APP LOGS HOLDING TEXT
    [show] LOGS OF APP containing|matching|mentioning WORD
    [show] APP LOGS containing|matching|mentioning WORD
    [show] LOGS HOLDING TEXT OF APP
    """,
    _SLOTS,
)
LOGS = ag.Phrases(
    """
    [show] (KIND)* [loki] LOGS OF APP [in|from|with|via] [loki]
    [show] APP [loki] LOGS [in|from|with|via] [loki]
    query|ask|search loki for LOGS OF APP
    query|ask|search loki for APP LOGS
    [show] what does loki have for|on|about APP
    """,
    _SLOTS,
)
TRACES = ag.Phrases(
    """
    [show] [trace|trace id|trace with id] TRACE
    [show] (KIND|LIMIT)* [FAILED] traces (of|for|from|in|through|involving) APP [ERRING] [THAN LONG] [ERRING]
    [show] (KIND|LIMIT|slow)* [FAILED] traces (of|for|from|in|through|involving) APP [ERRING] THAN LONG [ERRING]
    [show] (KIND|LIMIT)* slow|slowest (KIND)* traces (of|for|from|in|through|involving) APP
    [show] (KIND|LIMIT)* slow|slowest APP traces
    [show] APP slow|slowest traces
    [show] (KIND|LIMIT)* [FAILED] APP traces [ERRING] [THAN LONG] [ERRING]
    [show] (KIND|LIMIT|slow)* [FAILED] APP traces [ERRING] THAN LONG [ERRING]
    [show] traces [ERRING] [THAN LONG] (of|for|from|in) APP [ERRING]
    [show] (KIND|LIMIT)* [FAILED] traces THAN LONG [ERRING]
    [show] (KIND|LIMIT)* FAILED traces
    [show] (KIND|LIMIT)* traces ERRING
    [show] [what|which] traces|requests|spans (of|for|from|in|to) APP THAN LONG
    [show] what|which APP traces THAN LONG
    are there (KIND)* [FAILED] traces (of|for|from) APP [ERRING] [THAN LONG]
    """,
    _SLOTS,
)
_LASTING = rf"(?:with )?(?:an? )?(?:duration |latency )?(?:{_SLOTS['THAN']}) (?:{_SLOTS['LONG']})"
_ERRING = (
    "(?P<errors>with errors?|with an error|with failures|failed|failing|fail|fails|errors?|errored|erroring|erroneous"
    "|that failed|that errored|broken)"
)
_LIMIT = r"(?:last |newest |latest )?(?P<limit>\d{1,3})"
_TRACE_FILLERS = """recent latest newest last slow slowest slower slowly took taken long longest worst where requests
    request calls distributed tempo jaeger few most when took service spans data trace traces and"""
#: What is slow is looked for in traces.
TRACE_GISTS = (
    ag.Gist("traces?|spans?", takes=(_LASTING, _ERRING, _LIMIT), fillers=_TRACE_FILLERS, named=True),
    ag.Gist(
        "(?:slow|slowest|longest|slower|worst) (?:requests?|calls?|spans?)",
        takes=(_LASTING, _LIMIT),
        fillers=_TRACE_FILLERS,
        named=True,
    ),
)


def read_duration(words: str) -> str:
    """A length of time as `1s`, `500ms` or `2m`."""
    words = words.replace("a second", "1s").replace("one second", "1s").replace("two seconds", "2s")
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(m(?:s|illi)?|s|m)?\w*", words)
    if found is None:
        return words
    unit = "ms" if found[2] in {"ms", "milli"} else found[2] or "s"
    return f"{found[1]}{unit}"
