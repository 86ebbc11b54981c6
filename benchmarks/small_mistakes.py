"""A scripted model that makes the mistakes of small models, another mixture of them for each question."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from agent_gateway.testing import ModelCall, Reply

FINAL = "The keys are in the drawer"
ANSWER = f"{FINAL} [1]."
#: Citations of passages that there are not.
INVENTED = ("[7]", "[12]")
CASE = re.compile(r"case (\d+)")
READ_TOOL, WRITE_TOOL, STRANGE_TOOL = "look_up", "throw_away", "search_everything"
#: In a call of the JSON protocol the prompt shows what a reply looks like.
_PROTOCOL = '"action"'

Mistake: TypeAlias = Callable[["Pupil", ModelCall], Reply]


class Pupil:
    """The model during one question: how often it errs, in which ways, and whether it ever stops calling."""

    def __init__(self, seed: int, case: int) -> None:
        self.random = random.Random(seed * 1_000_003 + case)
        self.carelessness = self.random.choice((0.2, 0.5, 0.8, 1.0))
        self.habits = self.random.sample(sorted(MISTAKES), self.random.randint(1, 4))
        self.made: Counter[str] = Counter()
        self.calls = 0

    def reply(self, call: ModelCall) -> Reply:
        """The reply to the next call of the question."""
        self.calls += 1
        if self.random.random() < self.carelessness:
            name = self.random.choice(self.habits)
            self.made[name] += 1
            return MISTAKES[name](self, call)
        return behave(call)


class Pupils:
    """One pupil for each question that says which case it is; made by a seed."""

    def __init__(self, seed: int) -> None:
        self.by_case: dict[int, Pupil] = {}
        self._seed = seed

    def __call__(self, call: ModelCall) -> Reply:
        found = CASE.search(" ".join(str(message.get("content")) for message in call.messages))
        case = int(found[1]) if found else -1
        if case not in self.by_case:
            self.by_case[case] = Pupil(self._seed, case)
        return self.by_case[case].reply(call)


def takes_tools(call: ModelCall) -> bool:
    """Whether tools can be called natively."""
    return bool(call.body.get("tools"))


def wants_json(call: ModelCall) -> bool:
    """Whether the reply is to be an object of the JSON protocol."""
    return any(_PROTOCOL in str(message.get("content")) for message in call.messages if message["role"] == "system")


def has_results(call: ModelCall) -> bool:
    """Whether a tool was called before."""
    return any(message["role"] in {"tool", "assistant"} for message in call.messages)


def behave(call: ModelCall) -> Reply:
    """What a good model does: one look, then the answer."""
    if has_results(call):
        return Reply('{"action": "answer"}') if wants_json(call) else Reply(ANSWER)
    return ask_for(call, READ_TOOL, {"name": "keys"})


def ask_for(call: ModelCall, name: str, arguments: Mapping[str, Any]) -> Reply:
    """A tool call in the way that the request takes it; the answer where it takes none."""
    if takes_tools(call):
        return Reply(tool_calls=[(name, arguments)])
    if wants_json(call):
        return Reply(written(name, arguments))
    return Reply(ANSWER)


def written(name: str, arguments: Mapping[str, Any]) -> str:
    """A call as the JSON protocol has it."""
    return msgspec.json.encode({"action": "call", "tool": name, "arguments": arguments}).decode()


def write_wrong_json(pupil: Pupil, call: ModelCall) -> Reply:
    """Arguments that are cut or quoted as Python does."""
    broken = pupil.random.choice(('{"name": "keys', "{'name': 'keys',}", '{"name": "keys"}}', "name=keys"))
    if takes_tools(call):
        return Reply(tool_calls=[(READ_TOOL, broken)])
    return Reply(f'{{"action": "call", "tool": "{READ_TOOL}", "arguments": {broken}}}')


def call_stranger(pupil: Pupil, call: ModelCall) -> Reply:
    """A tool that there is not."""
    return ask_for(call, STRANGE_TOOL, {"query": f"keys {pupil.calls}"})


def call_again(pupil: Pupil, call: ModelCall) -> Reply:
    """The same call, whatever came of it."""
    return ask_for(call, READ_TOOL, {"name": "keys"})


def call_another(pupil: Pupil, call: ModelCall) -> Reply:
    """One more call, for ever."""
    pupil.carelessness, pupil.habits = 1.0, ["never stops"]
    return ask_for(call, READ_TOOL, {"name": f"keys {pupil.calls}"})


def call_wrongly(pupil: Pupil, call: ModelCall) -> Reply:
    """Arguments of other types, with other names, or none."""
    wrong: dict[str, Any] = pupil.random.choice(({"name": ["keys"], "limit": "many"}, {"what": "keys"}, {}))
    return ask_for(call, READ_TOOL, wrong)


def call_writing(pupil: Pupil, call: ModelCall) -> Reply:
    """A tool that changes something."""
    return ask_for(call, WRITE_TOOL, {"name": f"keys {pupil.calls}"})


def talk_around(pupil: Pupil, call: ModelCall) -> Reply:
    """A call amid prose."""
    return Reply(
        f"Sure! I will look that up.\n\n{written(READ_TOOL, {'name': 'keys'})}\n\nLet me know what comes of it."
    )


def write_call(pupil: Pupil, call: ModelCall) -> Reply:
    """A call as text, in one of the ways models were trained on."""
    body = msgspec.json.encode({"name": READ_TOOL, "arguments": {"name": f"keys {pupil.calls}"}}).decode()
    return Reply(pupil.random.choice((f"```json\n{body}\n```", f"<tool_call>\n{body}\n</tool_call>", body)))


def say_nothing(pupil: Pupil, call: ModelCall) -> Reply:
    """Nothing, or only white space."""
    return Reply(pupil.random.choice(("", "  \n", "\n\n")))


def invent_sources(pupil: Pupil, call: ModelCall) -> Reply:
    """An answer with citations of passages that there are not."""
    return Reply(f"{FINAL} {INVENTED[0]}. They have always been there [1]{INVENTED[1]}.")


def ramble(pupil: Pupil, call: ModelCall) -> Reply:
    """An answer that does not stop until its server stops it."""
    return Reply(f"{ANSWER} " + "And they are in the drawer. " * 150, finish="length")


MISTAKES: Mapping[str, Mistake] = {
    "wrong JSON": write_wrong_json,
    "unknown tool": call_stranger,
    "repeated call": call_again,
    "never stops": call_another,
    "wrong arguments": call_wrongly,
    "calls a write tool": call_writing,
    "prose around JSON": talk_around,
    "call as text": write_call,
    "empty answer": say_nothing,
    "invented citations": invent_sources,
    "rambles": ramble,
}
