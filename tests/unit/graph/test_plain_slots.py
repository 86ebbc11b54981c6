"""What is read out of a message before any tool is asked."""

from __future__ import annotations

import pytest

from agent_gateway.graph.plain.slots import LONGEST, read_plain
from agent_gateway.tool import PlainRequest

CLUSTERS = ("air", "studio-2")


def read(text: str) -> PlainRequest:
    return read_plain(text, "query", CLUSTERS)


@pytest.mark.parametrize(
    "text",
    [
        "pods in namespace orchard",
        "pods in the orchard namespace",
        "pods -n orchard",
        "pods -norchard",
        "pods --namespace=orchard",
        "pods ns orchard",
        "pods in ns/orchard",
        "pods in the `orchard` namespace?",
        "pods in the namespace called orchard",
        "orchard namespace: pods",
        "in namespace orchard, pods",
    ],
)
def test_a_namespace_is_read_and_taken_out(text: str) -> None:
    request = read(text)
    assert (request.namespace, request.rest, request.all_namespaces) == ("orchard", "pods", False)


@pytest.mark.parametrize(
    "text",
    [
        "what is a namespace",
        "which namespace is it",
        "list all namespaces",
        "one namespace per team",
        "pods per namespace",
    ],
)
def test_the_word_alone_names_no_namespace(text: str) -> None:
    assert (read(text).namespace, read(text).all_namespaces) == ("", False)


@pytest.mark.parametrize(
    "text",
    ["pods across all namespaces", "pods in every namespace", "pods -A", "pods cluster-wide", "pods in the cluster"],
)
def test_all_namespaces_are_read(text: str) -> None:
    assert (read(text).all_namespaces, read(text).rest) == (True, "pods")


def test_of_two_namespaces_one_stays_so_that_nobody_takes_half_a_request() -> None:
    assert "cellar" in read("pods in namespace orchard and in namespace cellar").rest


@pytest.mark.parametrize(
    "text", ["nodes on air", "nodes on the air cluster", "nodes in cluster air", "nodes --cluster=air", "On air, nodes"]
)
def test_a_configured_cluster_is_read(text: str) -> None:
    assert (read(text).cluster, read(text).rest) == ("air", "nodes")


@pytest.mark.parametrize("text", ["nodes on mars", "nodes on the mars cluster", "pods of air", "logs of air-quality"])
def test_what_is_no_cluster_of_this_gateway_stays(text: str) -> None:
    assert read(text).cluster == ""
    assert read(text).rest == text


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("last hour", 3600),
        ("in the last 2h", 7200),
        ("past 30 minutes", 1800),
        ("over the past 45 min", 2700),
        ("since 10 minutes ago", 600),
        ("since an hour ago", 3600),
        ("over the last day", 86400),
        ("today", 86400),
        ("since yesterday", 172800),
        ("for the last half hour", 1800),
        ("in the last three quarters of an hour", 2700),
        ("last hour and a half", 5400),
        ("in the last two hours", 7200),
        ("in the last couple of hours", 7200),
        ("in the last 1h30m", 5400),
        ("this week", 604800),
        ("--since=15m", 900),
        ("5m", 300),
    ],
)
def test_a_window_is_read_in_seconds(words: str, seconds: int) -> None:
    request = read(f"logs of cider {words}")
    assert (request.seconds, request.rest) == (seconds, "logs of cider")


@pytest.mark.parametrize("words", ["last 50 lines", "slower than 1s", "over 5 replicas", "since monday", "at 10:00"])
def test_what_is_no_window_stays(words: str) -> None:
    request = read(f"logs of cider {words}")
    assert (request.seconds, request.rest) == (0, f"logs of cider {words}")


@pytest.mark.parametrize(
    "text",
    [
        "Show me the pods",
        "Hi Bruno, could you please list the pods?",
        "can you give me the pods, thanks!",
        "I'd like to see the pods right now",
        "let me have a look at the pods.",
        "please show the pods",
        "bruno, show me the pods",
        "We need the pods",
        "would you mind showing me the pods",
        "show the pods",
    ],
)
def test_politeness_goes_and_asking_to_see_is_one_word(text: str) -> None:
    assert read(text).rest == "show the pods"


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Could you tell me which pods crash?", "which pods crash"),
        ("what's a pod", "what is a pod"),
        ("Why isn't it up?", "why is not it up"),
        ("don't show me the pods", "do not show me the pods"),
        ("can I restart the pod?", "can i restart the pod"),
        ("list of pods", "list of pods"),
    ],
)
def test_what_is_asked_is_kept(text: str, rest: str) -> None:
    assert read(text).rest == rest


def test_the_message_is_kept_as_it_was() -> None:
    text = "  Show `Kubectl get Pods -n Web` "
    assert (read(text).text, read(text).category) == (text, "query")


def test_a_long_message_is_no_plain_request() -> None:
    assert read("pods " * LONGEST).rest == ""


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("press err rate", "press error rate"),
        ("teh pods", "the pods"),
        ("desc pod press-0", "describe pod press-0"),
        ("the pods, can you list them?", "show the pods"),
        ("the pods i mean", "show the pods"),
        ("could somebody show me the pods", "show the pods"),
        ("i would need the pods", "show the pods"),
        # What is searched for, and what a name holds, stays as it is.
        ("grep err in logs of press", "grep err in logs of press"),
        ("logs of err-desc", "logs of err-desc"),
    ],
)
def test_abbreviations_and_late_wishes_are_written_out(text: str, rest: str) -> None:
    assert read(text).rest == rest


@pytest.mark.parametrize(
    ("text", "namespace"),
    [
        ("logs of press-api (ns orchard)", "orchard"),
        ("logs of press-api ns orchard-eu", "orchard-eu"),
        ("logs of press-api (orchard namespace)", "orchard"),
        ("logs of press-api in the orchard-eu namespace", "orchard-eu"),
        ("orchard7 namespace: statefulsets", "orchard7"),
        ("pods in namespace flux", "flux"),
        ("pods in every namespace tomorrow", ""),
    ],
)
def test_the_word_for_a_namespace_belongs_to_its_name(text: str, namespace: str) -> None:
    assert read(text).namespace == namespace


@pytest.mark.parametrize("number", ["9" * 400, "1" + "0" * 30])
def test_an_absurd_window_is_the_longest_one(number: str) -> None:
    assert read_plain(f"logs of api last {number} hours", "query", ()).seconds == 3650 * 86400
    assert read_plain(f"logs of api last 2 hours {number} minutes", "query", ()).seconds < 10**7
