"""How plain requests are understood when no model is up: right calls, wrong calls, and those it says it is unsure of.

    python -m benchmarks.plain_requests [FILE ...]

A line of a file is a message and the call that is meant: `{"text", "request", "tool", "arguments"}`, `request` being
what kind of request it is, and no `tool` when nothing may be called. `also` lists other calls that are as right. For a
query that the settings write (`error_rate` and so on) `named` is its name, and `arguments` are what goes into it:
`service`, `window` (5m unless said), `quantile`, `text`, and `since` for logs. The clusters are `air` and `studio`.
Nothing is run; of the tools only what recognizes a request is asked.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from plugins.flux.agent_gateway_flux import recognition as flux
from plugins.gitops.agent_gateway_gitops import recognition as gitops
from plugins.kubernetes.agent_gateway_kubernetes import recognition as kubernetes
from plugins.observability.agent_gateway_observability.named_queries import DEFAULT_QUERIES, fill_query
from plugins.observability.agent_gateway_observability.recognition import QueryRecognizer

from agent_gateway.graph.plain.choice import Choice, choose
from agent_gateway.graph.plain.slots import read_plain
from agent_gateway.tool import PlainRequest, Recognition, Tool, tool
from benchmarks.plain_calls import canonical, changes_something
from benchmarks.questions import DATA

CLUSTERS = ("air", "studio")
OWN = DATA / "plain_requests.jsonl"
_QUERIES = QueryRecognizer()
_READS: Mapping[str, Callable[[PlainRequest], Recognition | None]] = {
    "pod_logs": kubernetes.recognize_pod_logs,
    "describe_object": kubernetes.recognize_describe_object,
    "query_prometheus": _QUERIES.recognize_query_prometheus,
    "query_loki": _QUERIES.recognize_query_loki,
    "get_traces": _QUERIES.recognize_get_traces,
    "flux_get": flux.recognize_flux_get,
    "git_log": gitops.recognize_git_log,
    "git_show": gitops.recognize_git_show,
}
_WRITES: Mapping[str, Callable[[PlainRequest], Recognition | None]] = {
    "restart_workload": kubernetes.recognize_restart_workload,
    "scale_workload": kubernetes.recognize_scale_workload,
    "flux_reconcile": flux.recognize_flux_reconcile,
    "flux_suspend": flux.recognize_flux_suspend,
    "flux_resume": flux.recognize_flux_resume,
    "git_commit": gitops.recognize_git_commit,
}


class Call(msgspec.Struct, frozen=True):
    """A call that is right."""

    tool: str = ""
    arguments: dict[str, Any] = {}
    named: str = ""


class LabelledRequest(msgspec.Struct, frozen=True):
    """A line of a file."""

    text: str
    request: str = ""
    tool: str = ""
    arguments: dict[str, Any] = {}
    named: str = ""
    also: tuple[Call, ...] = ()

    def right(self) -> set[Any]:
        """Every call that is right, in a form that can be compared."""
        return {_accepted(each) for each in (Call(self.tool, self.arguments, self.named), *self.also) if each.tool}


class Outcome(msgspec.Struct, frozen=True):
    """What became of one request."""

    labelled: LabelledRequest
    choice: Choice

    @property
    def called(self) -> bool:
        """Whether a call would be made."""
        return self.choice.outcome == "call"

    @property
    def right(self) -> bool:
        """Whether the right call is made, or none where none may be."""
        accepted = self.labelled.right()
        if not self.called:
            return not accepted
        return canonical(self.choice.tool, self.choice.arguments) in accepted


async def _nothing() -> str:
    """Nothing is run here."""
    return ""


def plain_tools() -> list[Tool]:
    """The recognizers, as tools that do nothing."""
    make = partial(tool, _nothing)
    reads = [make(name=name, recognize=each) for name, each in _READS.items()]
    writes = [make(name=name, recognize=each, effect="write") for name, each in _WRITES.items()]
    return [make(name="kubectl", recognize=kubernetes.recognize_kubectl, effect=changes_something), *reads, *writes]


def measure(requests: Iterable[LabelledRequest]) -> list[Outcome]:
    """Ask for each."""
    tools = plain_tools()
    return [Outcome(each, choose(read_plain(each.text, "query", CLUSTERS), tools)) for each in requests]


def load_requests(path: Path) -> list[LabelledRequest]:
    """The lines of a file."""
    lines = path.read_bytes().splitlines()
    return [msgspec.json.decode(line, type=LabelledRequest) for line in lines if line.strip()]


def _accepted(call: Call) -> Any:
    if not call.named:
        return canonical(call.tool, call.arguments)
    values = {"window": "5m", **call.arguments}
    template = DEFAULT_QUERIES[call.named]
    names = ("service", "window", "quantile", "text", "namespace")
    query = fill_query(template, **{name: values[name] for name in names if name in values})
    others = {name: value for name, value in call.arguments.items() if name in {"since", "cluster"}}
    return canonical(call.tool, {"query": query, **others})


def report(outcomes: Sequence[Outcome]) -> str:
    """The figures, and every request that was not understood as labelled."""
    wanted = [each for each in outcomes if each.labelled.tool]
    wrong = [each for each in outcomes if each.called and not each.right]
    unsure = [each for each in wanted if not each.called]
    right = sum(each.right for each in wanted)
    kinds = {each.labelled.request for each in wanted}
    quiet = sum(not each.called for each in outcomes if not each.labelled.tool)
    share = right / max(1, len(wanted))
    lines = [
        f"right calls          {right}/{len(wanted)} of {len(kinds)} kinds of requests ({share:.1%})",
        f"nothing called       {quiet}/{len(outcomes) - len(wanted)} where nothing may be",
        f"wrong calls          {len(wrong)}",
        f"unsure, and says so  {len(unsure)} ({dict(Counter(each.choice.outcome for each in unsure))})",
    ]
    for title, missed in (("WRONG", wrong), ("unsure", unsure)):
        for each in missed:
            got = f"{each.choice.tool} {each.choice.arguments}" if each.called else each.choice.outcome
            detail = f"{each.choice.missing} {' / '.join(each.choice.offers)}" if not each.called else ""
            lines.append(f"{title}: {each.labelled.text!r}\n    wanted {each.labelled.tool} {each.labelled.arguments}")
            lines.append(f"    got {got} {detail if each.choice.outcome != 'nothing' else ''}")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("files", nargs="*", type=Path, default=[OWN], help="requests, one JSON object a line")
    for path in parser.parse_args().files:
        print(f"{path.name}\n{report(measure(load_requests(path)))}")


if __name__ == "__main__":
    main()
