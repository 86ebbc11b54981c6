"""Packs what a model needs for one call into what its window holds."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent_gateway.completion import ChatMessage, CompletionRequest, FunctionSchema, ModelInfo, ToolRequest
from agent_gateway.graph.writing.digest import digest, older, recent, unmark
from agent_gateway.graph.writing.packing import Room, shorten
from agent_gateway.graph.writing.rules import Task, proposal_schema, write_protocol, write_rules
from agent_gateway.interfaces import GenerationRequest, Passage
from agent_gateway.messages import Exchange
from agent_gateway.tool import READ_MORE, Tool, ToolCall, ToolResult

#: A proposal is one JSON object.
PROPOSAL_TOKENS = 512
#: Marks and labels around the pieces, and the line about what was left out.
_FRAME = 160
#: Fewer tokens of a message or of a tool's result say nothing.
_LEAST = 64
#: A longer piece of the conversation is cut before anything is counted.
_LONGEST_SPEECH = 4000
_LONGEST_SIGNATURE = 500
#: What the format of a conversation adds to each message.
_MESSAGE_TOKENS = 4
_NUMBER = re.compile(r"\[(\d{1,3})\]")


@dataclass(frozen=True)
class Observation:
    """A tool call of this turn and what came of it; `citable` are the numbers of the passages that it found."""

    call: ToolCall
    result: ToolResult
    citable: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Material:
    """What an answer is made of: the request, the passages by number, and what tools said. `tag` is random."""

    request: GenerationRequest
    passages: Sequence[tuple[int, Passage]]
    tag: str
    observations: Sequence[Observation] = ()
    #: What was wrong with the model's last proposal, when it was no call at all.
    correction: str = ""


@dataclass
class Kept:
    """What found room: results and exchanges oldest first, passages best first."""

    message: str = ""
    results: list[tuple[Observation, str]] = field(default_factory=list)
    passages: list[tuple[int, str]] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    left_out: str = ""


class Prompt:
    """Makes the request of one call for whichever model is asked; a `RequestBuilder`.

    `citable` are the numbers that the request made last lets the answer cite.
    """

    def __init__(self, material: Material, task: Task, tools: Sequence[Tool] = ()) -> None:
        self._material = material
        self._task = task
        self._tools = tuple(tools)
        self.citable: frozenset[int] = frozenset()
        self._texts: list[str] = []

    def __call__(self, info: ModelInfo) -> CompletionRequest:
        """The request. The message and the system's words are always in it, the rest as far as it fits."""
        native = self._task == "propose" and info.tools == "native"
        asks_json = self._task == "propose" and info.tools == "json"
        schemas = tuple(_describe(tool) for tool in self._tools) if native else ()
        longest = min(info.max_tokens, max(info.window // 2, 1))
        longest = min(longest, PROPOSAL_TOKENS) if asks_json else longest
        system = self._system(native=native, asks_json=asks_json)
        fixed = [system, self._material.correction, *(_as_counted(each) for each in schemas)]
        fixed += [json.dumps(each.call.arguments) for each in self._material.observations]
        kept = self._keep(info, info.window - longest - _FRAME, fixed)
        messages = tuple(self._messages(system, kept, native=native))
        self._texts = [*(_as_counted(each) for each in schemas), *map(_text_of, messages)]
        return CompletionRequest(
            messages=messages,
            tools=schemas,
            schema=proposal_schema(self._tools) if asks_json and info.schemas else None,
            temperature=0.0 if asks_json else info.temperature,
            max_tokens=longest,
        )

    def count(self, info: ModelInfo) -> int:
        """About how many tokens the request made last has, for the model it was made for."""
        return sum(info.count(text) + _MESSAGE_TOKENS for text in self._texts)

    def _system(self, *, native: bool, asks_json: bool) -> str:
        request, tag = self._material.request, self._material.tag
        if asks_json:
            return f"{request.persona.prompt.strip()}\n\n{write_protocol(self._tools, tag)}"
        sources = bool(native or self._material.passages or self._material.observations)
        task: Task = "answer" if self._task == "propose" and not native else self._task
        return f"{request.persona.prompt.strip()}\n\n{write_rules(request, task, tag, sources=sources)}"

    def _keep(self, info: ModelInfo, tokens: int, fixed: Sequence[str]) -> Kept:
        """Fill the room: the message, then results, newest first, passages, best first, and the conversation."""
        request = self._material.request
        message = self._safe(request.message)
        results = [(each, self._safe(_show(each.result))) for each in self._material.observations]
        passages = [(number, self._safe(_show_passage(number, each))) for number, each in self._material.passages]
        exchanges = [_trim(each) for each in recent(request.history)]
        digests = [self._safe(digest(each)) for each in older(request.history)]
        everything = [*fixed, message, *(text for _, text in results), *(text for _, text in passages), *digests]
        room = Room(tokens, info.count, (*everything, *map(_speech, exchanges)))
        for text in fixed:
            room.spend(text)
        kept = Kept(message=room.squeeze(message, _LEAST) or shorten(message, _LEAST, info.count))
        for each, text in reversed(results):
            cut = room.squeeze(text, _LEAST)
            kept.results[:0] = [(each, cut)] if cut else []
        kept.passages = [passages[place] for place in room.take_each([text for _, text in passages])]
        newest = room.take_each([_speech(each) for each in reversed(exchanges)])
        kept.exchanges = [exchanges[-1 - place] for place in reversed(newest)]
        lines = room.take_each(digests[::-1])
        kept.digests = [digests[-1 - place] for place in reversed(lines)]
        kept.left_out = _tell_left_out(
            (len(results) - len(kept.results), "result of a tool", "results of tools"),
            (len(passages) - len(kept.passages), "passage", "passages"),
            (len(request.history) - len(kept.exchanges) - len(kept.digests), "earlier exchange", "earlier exchanges"),
        )
        self.citable = self._number(kept)
        return kept

    def _number(self, kept: Kept) -> frozenset[int]:
        """The numbers in sight: of the passages that were kept, and of those that a kept result shows."""
        shown = {number for observed, text in kept.results for number in marks_in(text) & observed.citable}
        return frozenset({number for number, _ in kept.passages} | shown)

    def _messages(self, system: str, kept: Kept, *, native: bool) -> list[ChatMessage]:
        if kept.digests:
            earlier = self._as_data("\n".join(kept.digests))
            system = f"{system}\n\nEarlier in this conversation:\n{earlier}"
        messages = [ChatMessage(role="system", content=system)]
        for each in kept.exchanges:
            messages.append(ChatMessage(role="user", content=self._safe(each.message)))
            messages.append(ChatMessage(role="assistant", content=self._safe(each.response)))
        messages.append(ChatMessage(role="user", content=self._question(kept, with_results=not native)))
        if native:
            for observed, text in kept.results:
                messages += self._exchange_with_tool(observed, text)
        return messages

    def _question(self, kept: Kept, *, with_results: bool) -> str:
        """The last thing the user says: the material, then the message."""
        blocks: list[str] = []
        if kept.passages:
            blocks.append(f"Passages:\n{self._as_data(chr(10).join(f'{text}{chr(10)}' for _, text in kept.passages))}")
        if kept.results and with_results:
            texts = [f"{_signature(each.call)} [{each.result.status}]:\n{text}" for each, text in kept.results]
            blocks.append(f"Results of tools, oldest first:\n{self._as_data(self._safe((chr(10) * 2).join(texts)))}")
        if kept.left_out:
            blocks.append(kept.left_out)
        if not blocks and not self._material.correction:
            return kept.message
        blocks.append(f"Message:\n{kept.message}")
        if self._material.correction:
            blocks.append(self._material.correction)
        return "\n\n".join(blocks)

    def _exchange_with_tool(self, observed: Observation, text: str) -> list[ChatMessage]:
        call = observed.call
        asked = ToolRequest(id=call.id, name=call.name, arguments=json.dumps(call.arguments))
        return [
            ChatMessage(role="assistant", tool_requests=(asked,)),
            ChatMessage(role="tool", content=self._as_data(text), tool_call_id=call.id),
        ]

    def _as_data(self, text: str) -> str:
        tag = self._material.tag
        return f"<data-{tag}>\n{text.strip()}\n</data-{tag}>"

    def _safe(self, text: str) -> str:
        """A text that cannot close the marks it will stand between."""
        while self._material.tag in text:
            text = text.replace(self._material.tag, "")
        return text


def marks_in(text: str) -> set[int]:
    """The numbers that stand in brackets in a text."""
    return {int(found) for found in _NUMBER.findall(text)}


def _text_of(message: ChatMessage) -> str:
    return " ".join([message.content, *(f"{each.name} {each.arguments}" for each in message.tool_requests)])


def _as_counted(schema: FunctionSchema) -> str:
    return f"{schema.name} {schema.description} {json.dumps(schema.parameters)}"


def _describe(tool: Tool) -> FunctionSchema:
    return FunctionSchema(name=tool.name, description=tool.description, parameters=tool.parameters)


def _show_passage(number: int, passage: Passage) -> str:
    return f"[{number}] {passage.title} ({passage.source})\n{passage.text}"


def _show(result: ToolResult) -> str:
    if not result.more:
        return result.text
    return f"{result.text}\n(page 1 of {result.pages} of {result.more}; {READ_MORE} shows the others)"


def _signature(call: ToolCall) -> str:
    return f"{call.name}({json.dumps(call.arguments, ensure_ascii=False)[:_LONGEST_SIGNATURE]})"


def _trim(exchange: Exchange) -> Exchange:
    message, response = (_halve(text) for text in (exchange.message, unmark(exchange.response)))
    return Exchange(message=message, response=response, tier=exchange.tier)


def _halve(text: str) -> str:
    return shorten(text, _LONGEST_SPEECH, len) if len(text) > _LONGEST_SPEECH else text


def _speech(exchange: Exchange) -> str:
    return f"{exchange.message}\n{exchange.response}"


def _tell_left_out(*counts: tuple[int, str, str]) -> str:
    """One line about what found no room."""
    told = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
    return f"(Left out for lack of room: {', '.join(told)}.)" if told else ""
