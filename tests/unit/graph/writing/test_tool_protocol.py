from __future__ import annotations

import time

import pytest

from agent_gateway.completion import ToolRequest
from agent_gateway.graph.writing.call_screen import CallScreen
from agent_gateway.graph.writing.tool_protocol import (
    ProposedCall,
    Reading,
    read_reply,
    read_request,
    read_written_calls,
)

NAMES = ("knowledge_search", "list_pods")
SEARCH = ProposedCall("knowledge_search", {"query": "dns"})

CALLS = {
    "as asked": '{"action": "call", "tool": "knowledge_search", "arguments": {"query": "dns"}}',
    "prose around": 'I will search:\n{"action":"call","tool":"knowledge_search","arguments":{"query":"dns"}}\nOk?',
    "a fence": '```json\n{"action": "call", "tool": "knowledge_search", "arguments": {"query": "dns"}}\n```',
    "single quotes": "{'action': 'call', 'tool': 'knowledge_search', 'arguments': {'query': 'dns'}}",
    "trailing commas": '{"action": "call", "tool": "knowledge_search", "arguments": {"query": "dns",},}',
    "unquoted keys": '{action: "call", tool: "knowledge_search", arguments: {query: "dns"}}',
    "name and parameters": '{"name": "knowledge_search", "parameters": {"query": "dns"}}',
    "a function object": '{"id": 1, "function": {"name": "knowledge_search", "arguments": {"query": "dns"}}}',
    "a function with text": '{"function": {"name": "knowledge_search", "arguments": "{\\"query\\": \\"dns\\"}"}}',
    "arguments as text": '{"tool": "knowledge_search", "arguments": "{\\"query\\": \\"dns\\"}"}',
    "a list of calls": '{"tool_calls": [{"name": "knowledge_search", "arguments": {"query": "dns"}}]}',
    "the action is the tool": '{"action": "knowledge_search", "action_input": {"query": "dns"}}',
    "the tool is the key": '{"knowledge_search": {"query": "dns"}}',
    "arguments beside the name": '{"action": "call", "tool": "knowledge_search", "query": "dns", "thought": "hm"}',
    "several objects": '{"thinking": 1} {"tool": "knowledge_search", "args": {"query": "dns"}} {"action": "answer"}',
    "the last bracket is missing": '{"action": "call", "tool": "knowledge_search", "arguments": {"query": "dns"}',
    "a tag": '<tool_call>\n{"name": "knowledge_search", "arguments": {"query": "dns"}}\n</tool_call>',
    "a broken object before": '{oops: [} {"tool": "knowledge_search", "arguments": {"query": "dns"}}',
}


@pytest.mark.parametrize("shape", CALLS)
def test_a_call_is_understood(shape: str) -> None:
    assert read_reply(CALLS[shape], NAMES) == Reading(calls=(SEARCH,))
    assert read_written_calls(CALLS[shape], NAMES) == (SEARCH,)


def test_values_keep_their_types() -> None:
    text = (
        "{'tool': 'list_pods', 'arguments': {'all': True, 'limit': 5, 'label': None, 'share': 1.5e1, 'it': \"it's\"}}"
    )
    (call,) = read_reply(text, NAMES).calls
    assert call.arguments == {"all": True, "limit": 5, "label": None, "share": 15.0, "it": "it's"}


def test_several_calls_are_all_read() -> None:
    text = '[{"name": "knowledge_search", "arguments": {"query": "dns"}}, {"name": "list_pods"}]'
    assert read_reply(text, NAMES).calls == (SEARCH, ProposedCall("list_pods", {}))


@pytest.mark.parametrize(
    "text", ['{"action": "answer"}', '{"action": "final_answer", "text": "x"}', '{"answer": "It is 42."}', "It is 42."]
)
def test_a_wish_to_answer_is_understood(text: str) -> None:
    assert read_reply(text, NAMES) == Reading(answers=True)


@pytest.mark.parametrize(
    "text", ['{"action": "call", "tool": "knowledge_search", "arguments": {"query": "how do I rest', '{"a": 1}', "{"]
)
def test_what_is_no_call_is_told_how_one_looks(text: str) -> None:
    reading = read_reply(text, NAMES)
    assert reading.calls == ()
    assert not reading.answers
    assert '{"action": "answer"}' in reading.fault


def test_nothing_at_all_is_neither() -> None:
    assert read_reply("  \n", NAMES) == Reading()


def test_an_unknown_tool_is_a_call_too_by_protocol_but_not_in_an_answer() -> None:
    text = '{"name": "reboot", "arguments": {}}'
    assert read_reply(text, NAMES).calls == (ProposedCall("reboot", {}),)
    assert read_written_calls(text, NAMES) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"query": "dns"}', {"query": "dns"}),
        ("", {}),
        ("{'query': 'dns',}", {"query": "dns"}),
        ('"{\\"query\\": \\"dns\\"}"', {"query": "dns"}),
        ('{"query": "dn', None),
        ('["dns"]', None),
        ('{"query": "\\ud800"}', None),
    ],
)
def test_arguments_of_a_request_are_read(text: str, expected: object) -> None:
    request = ToolRequest(id="a", name=" knowledge_search ", arguments=text)
    assert read_request(request) == ProposedCall("knowledge_search", expected)  # type: ignore[arg-type]  # as given


@pytest.mark.parametrize("nasty", ["{" * 20_000, "[{" * 9_000, '{"a":' * 5_000, "'" * 20_000, '{"a": "' + "x" * 99_999])
def test_hostile_replies_take_no_time(nasty: str) -> None:
    begun = time.perf_counter()
    read_reply(nasty, NAMES)
    assert time.perf_counter() - begun < 2


def screen(text: str, size: int) -> tuple[str, str, tuple[ProposedCall, ...]]:
    """What was shown before the end, what after, and the calls."""
    filtered = CallScreen(NAMES)
    shown = "".join(filtered.feed(text[start : start + size]) for start in range(0, len(text), size))
    rest = filtered.finish()
    assert not rest.broken
    return shown, rest.text, rest.calls


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("shape", [name for name in CALLS if name not in {"prose around", "several objects"}])
def test_a_written_call_is_not_shown(shape: str, size: int) -> None:
    if shape != "a broken object before":
        assert screen(CALLS[shape], size) == ("", "", (SEARCH,))


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_prose_before_a_written_call_is_shown(size: int) -> None:
    shown, rest, calls = screen("I will look.\n" + CALLS["a fence"], size)
    assert (shown.strip(), rest, calls) == ("I will look.", "", (SEARCH,))


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    "text",
    [
        "It is 42.\n\n- one\n- two\n",
        "```bash\nkubectl get pods\n```\nThat is all.",
        '{"replicas": 3} is the value.',
        '```json\n{"replicas": 3}\n```',
        "[1] says so.",
        "<b>So</b>",
        '{"name": "web", "image": "nginx"}\nThat is the object.',
    ],
)
def test_an_answer_is_shown_whole(text: str, size: int) -> None:
    shown, rest, calls = screen(text, size)
    assert (shown + rest, calls) == (text, ())


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ('{"action": "call", "tool": "knowledge_search", "arguments": {"query": "keys}', True),
        ('{"tool": "knowledge_search", "arguments": query=keys}', True),
        ('```json\n{"name": "web", "image": nginx # a comment\n}\n```', False),
        ('{"action": "somewhere else", not JSON', False),
    ],
)
def test_a_call_that_cannot_be_read_is_no_answer_and_other_text_is(text: str, broken: bool) -> None:
    filtered = CallScreen(NAMES)
    shown = filtered.feed(text)
    rest = filtered.finish()
    assert (rest.broken, shown + rest.text) == (broken, "" if broken else text)


def test_an_answer_in_code_or_json_is_shown_as_soon_as_it_is_clear() -> None:
    filtered = CallScreen(NAMES)
    assert filtered.feed("```bash\n") == "```bash\n"
    assert filtered.feed("echo") == "echo"
    filtered = CallScreen(NAMES)
    assert filtered.feed("Plain") == "Plain"
    assert CallScreen(NAMES).feed('{"replicas"') == '{"replicas"'
