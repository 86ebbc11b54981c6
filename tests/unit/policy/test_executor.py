from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.memory_records import NOWHERE, an_executor
from tests.unit.graph.parts import an_intent

from agent_gateway.errors import NotFound
from agent_gateway.messages import ROLES, Role
from agent_gateway.persona import Persona, Policy
from agent_gateway.policy.executor import MOST_OFFERED, ToolExecutor
from agent_gateway.tool import Tool, ToolCall, ToolResult, tool


@dataclass
class Turn:
    """What the executor needs of a turn's context."""

    persona: Persona
    run_id: str = "run-1"
    deadline: float = float("inf")
    owner: str = "local"
    roles: tuple[Role, ...] = ROLES
    said: list[str] = field(default_factory=list)


def persona(*tools: str, suggest_only: bool = False) -> Persona:
    return Persona(id="nora", title="N", prompt="N", tools=tools, policy=Policy(suggest_only=suggest_only))


async def count(low: int, high: int = 10) -> list[int]:
    """Count from low to high."""
    return list(range(low, high))


async def sleep() -> str:
    """Sleep for long."""
    await asyncio.sleep(30)
    return "slept"


async def whisper(word: str, context: Turn) -> str:
    """Say a word in the turn."""
    context.said.append(word)
    return f"said by {context.persona.id}"


async def erase(path: str) -> str:
    """Erase a file."""
    raise AssertionError(path)


COUNT, SLEEP = tool(count), tool(sleep, timeout_seconds=0.05)
WHISPER, ERASE = tool(whisper), tool(erase, effect="write")
TOOLS = {each.name: each for each in (COUNT, SLEEP, WHISPER, ERASE)}


def a_call(name: str, arguments: dict[str, Any]) -> ToolCall:
    return ToolCall(id="c", name=name, arguments=arguments)


async def call(
    name: str, turn: Turn | None = None, tools: dict[str, Tool] | None = None, **arguments: Any
) -> ToolResult:
    turn = turn or Turn(persona(*(tools or TOOLS)))
    return await an_executor(tools or TOOLS, {}, NOWHERE).call(a_call(name, arguments), turn)


def failing(error: BaseException) -> dict[str, Tool]:
    async def fail() -> str:
        """Fail."""
        raise error

    return {"fail": tool(fail)}


async def test_a_tool_runs_with_its_arguments_and_its_result_is_text() -> None:
    result = await call("count", low="7")
    assert (result.call_id, result.name, result.status, result.text) == ("c", "count", "ok", "[7,8,9]")
    assert result.ms > 0


async def test_a_tool_is_given_the_turn() -> None:
    turn = Turn(persona("whisper"))
    result = await call("whisper", turn, word="hush")
    assert (result.text, turn.said) == ("said by nora", ["hush"])


async def test_an_unknown_tool_is_answered_with_those_there_are() -> None:
    result = await call("cuont", Turn(persona("count", "sleep")))
    assert (result.status, result.mendable) == ("failed", True)
    assert result.text == "There is no tool 'cuont'. There are: count, sleep."
    assert (await call("x", Turn(persona()))).text == "There is no tool 'x'. There are none."


async def test_a_tool_that_is_not_the_persona_s_is_refused_whatever_its_arguments() -> None:
    result = await call("count", Turn(persona("sleep")), wrong=1)
    assert (result.status, result.mendable) == ("refused", False)
    assert result.text == "nora may not use the tool 'count'."


async def test_a_persona_that_only_suggests_does_not_write() -> None:
    result = await call("erase", Turn(persona("erase", suggest_only=True)), path="/")
    assert (result.status, result.text) == ("refused", "nora only suggests changes and carries none out.")


async def test_who_may_only_look_has_nothing_written() -> None:
    result = await call("erase", Turn(persona("erase"), roles=("viewer", "approver")), path="/")
    assert result.status == "refused"
    assert "has not the role" in result.text


async def test_the_effect_may_depend_on_the_arguments() -> None:
    async def ask(verb: str) -> str:
        """Ask the cluster."""
        return verb

    tools = {"ask": tool(ask, effect=lambda given: "read" if given["verb"] == "get" else "write")}
    assert (await call("ask", tools=tools, verb="get")).status == "ok"
    assert (await call("ask", tools=tools, verb="delete")).status == "waiting"
    broken = {"ask": tool(ask, effect=lambda given: given["nothing"])}
    assert (await call("ask", tools=broken, verb="get")).status == "failed"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, "'low' must be given"),
        ({"low": 1, "top": 2}, "there is no argument 'top'"),
        ({"low": "many"}, "expected `int`, got `str` (argument `low`)"),
        ({"low": 1, "high": {"a": 1}}, "(argument `high`)"),
    ],
)
async def test_arguments_that_do_not_fit_are_explained(arguments: dict[str, Any], expected: str) -> None:
    result = await call("count", **arguments)
    assert (result.status, result.mendable) == ("failed", True)
    assert expected in result.text
    assert result.text.endswith("It takes: low (integer), high (integer, optional).")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("no such pod\nmore"), "ValueError: no such pod"),
        (KeyError(), "KeyError:"),
        (NotFound("there is no pod 'a'", hint="look for others"), "there is no pod 'a' (look for others)"),
        (SystemExit(3), "SystemExit: 3"),
        (TimeoutError("of its own"), "TimeoutError: of its own"),
    ],
)
async def test_a_tool_that_raises_harms_only_its_call(error: BaseException, text: str) -> None:
    result = await call("fail", tools=failing(error))
    assert (result.status, result.mendable, result.text.strip()) == ("failed", False, text)


async def test_a_cancelled_turn_is_not_a_failed_tool() -> None:
    task = asyncio.create_task(call("sleep", tools={"sleep": tool(sleep)}))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_tool_whose_own_task_is_cancelled_harms_only_its_call() -> None:
    async def wait_in_vain() -> str:
        """Wait for something that is cancelled."""
        waiting = asyncio.create_task(asyncio.sleep(30, "unreachable"))
        waiting.cancel()
        return await waiting

    result = await call("wait_in_vain", tools={"wait_in_vain": tool(wait_in_vain)})
    assert (result.status, result.mendable, result.text.strip()) == ("failed", False, "CancelledError:")


@pytest.mark.parametrize("tags", ["[" * 100_000, '{"a":' * 100_000], ids=["list", "object"])
async def test_arguments_that_are_nested_too_deeply_are_to_be_mended(tags: str) -> None:
    async def mark(tags: list[str]) -> str:
        """Mark something."""
        return ",".join(tags)

    result = await call("mark", tools={"mark": tool(mark)}, tags=tags)
    assert (result.status, result.mendable) == ("failed", True)
    assert "nested too deeply" in result.text
    assert result.text.endswith("It takes: tags (array).")


async def test_a_tool_ends_at_its_timeout() -> None:
    result = await call("sleep")
    assert (result.status, result.text) == ("failed", "it took longer than 0.05 s")


async def test_a_tool_leaves_the_turn_time_for_its_answer() -> None:
    turn = Turn(persona("sleep"), deadline=asyncio.get_running_loop().time() + 0.1)
    result = await call("sleep", turn, tools={"sleep": tool(sleep)})
    assert (result.status, asyncio.get_running_loop().time() < turn.deadline) == ("failed", True)


def make(names: str) -> dict[str, Tool]:
    return {name: tool(count, name=name) for name in names.split()}


@pytest.mark.parametrize(
    ("category", "mine", "expected"),
    [
        ("query", "a b c d", "b a d"),
        ("deploy", "a b c d", "c d"),
        ("other", "a b c d", "d"),
        ("chat", "a b c d", ""),
        ("query", "b missing", "b"),
    ],
)
def test_the_intent_s_tools_are_offered_then_those_of_no_intent(category: str, mine: str, expected: str) -> None:
    executor = an_executor(make("a b c d e"), {"query": ("b", "a", "x"), "deploy": ("c",)}, NOWHERE)
    offered = executor.offered(persona(*mine.split()), an_intent(category))
    assert [each.name for each in offered] == expected.split()


async def test_at_most_eight_are_offered_the_pager_among_them(tmp_path: Path) -> None:
    tools = make(" ".join(f"t{number}" for number in range(20)))
    tools["t0"] = tool(count, name="t0", output_limit=5)
    executor = an_executor(tools, {}, tmp_path / "kept")
    someone = persona(*tools)
    assert len(executor.offered(someone, an_intent())) == MOST_OFFERED
    await executor.call(a_call("t0", {"low": 1}), Turn(someone))
    offered = [each.name for each in executor.offered(someone, an_intent(), "run-1")]
    assert (len(offered), offered[-1]) == (MOST_OFFERED, "read_more")
    assert "read_more" not in [each.name for each in executor.offered(someone, an_intent(), "run-2")]


def speaking(text: str, limit: int = 100) -> Callable[[Path], ToolExecutor]:
    async def speak() -> str:
        """Speak."""
        return text

    return lambda folder: an_executor({"speak": tool(speak, output_limit=limit)}, {}, folder)


async def test_long_output_is_cut_kept_for_its_user_alone_and_paged(tmp_path: Path) -> None:
    text = "".join(f"line {number:04}\n" for number in range(50))
    executor = speaking(text)(tmp_path / "kept")
    turn = Turn(persona("speak"))
    result = await executor.call(a_call("speak", {}), turn)
    assert (result.text, result.more, result.pages) == (text[:100], "result-1", 5)
    kept = tmp_path / "kept" / "run-1" / "1.txt"
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    pages = [
        await executor.call(a_call("read_more", {"result": "result-1", "page": page}), turn) for page in range(1, 6)
    ]
    assert "".join(page.text.partition("\n")[2] for page in pages) == text
    assert pages[1].text.startswith("(page 2 of 5)\n")
    assert {page.status for page in pages} == {"ok"}


async def test_kept_output_belongs_to_its_run(tmp_path: Path) -> None:
    executor = speaking("x" * 500)(tmp_path / "kept")
    await executor.call(a_call("speak", {}), Turn(persona("speak")))
    other = Turn(persona("speak"), run_id="run-2")
    for name in ("result-1", "1", "../run-1/1", "result-9"):
        result = await executor.call(a_call("read_more", {"result": name, "page": 1}), other)
        assert result.status == "failed"
        assert "there is no kept result" in result.text
    beyond = await executor.call(a_call("read_more", {"result": 1, "page": "9"}), Turn(persona("speak")))
    assert beyond.text == "result-1 has the pages 1 to 5"


async def test_what_was_kept_goes_with_its_run_and_with_the_process(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    executor = speaking("x" * 500)(folder)
    for run in ("run-1", "run-2"):
        await executor.call(a_call("speak", {}), Turn(persona("speak"), run_id=run))
    await executor.forget("run-1")
    await executor.forget("never-heard-of")
    assert [each.name for each in folder.iterdir()] == ["run-2"]
    assert executor.offered(persona("speak"), an_intent(), "run-1")[-1].name == "speak"
    speaking("")(folder)
    assert not folder.exists()


@pytest.mark.parametrize("twice", [False, True], ids=["cancelled once", "and again"])
async def test_what_a_cancelled_turn_was_still_keeping_goes_too(tmp_path: Path, twice: bool) -> None:
    folder, door = tmp_path / "kept", tmp_path / "door"
    executor = speaking("x" * 500)(folder)
    (folder / "run-1").mkdir(parents=True)
    # Writing there takes until somebody reads.
    os.mkfifo(folder / "run-1" / "1.txt")
    os.link(folder / "run-1" / "1.txt", door)
    calling = asyncio.create_task(executor.call(a_call("speak", {}), Turn(persona("speak"))))
    await asyncio.sleep(0.1)
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    forgetting = asyncio.create_task(executor.forget("run-1"))
    await asyncio.sleep(0.1)
    if twice:
        forgetting.cancel()
        await asyncio.gather(forgetting, return_exceptions=True)
    reader = os.open(door, os.O_RDONLY | os.O_NONBLOCK)
    try:
        async with asyncio.timeout(5):
            await asyncio.gather(forgetting, return_exceptions=True)
            while (folder / "run-1").exists():  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(0.01)
    finally:
        os.close(reader)
    assert calling.cancelled()


async def test_output_that_cannot_be_kept_is_cut_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for folder in (tmp_path / "file", NOWHERE):
        result = await speaking("x" * 500)(folder).call(a_call("speak", {}), Turn(persona("speak")))
        assert (result.status, result.more, len(result.text)) == ("ok", "", 100)
        assert result.text.endswith("[cut here: the rest could not be kept]")


async def test_output_is_clean_text() -> None:
    text = "\x1b[31mred\x1b[0m\r\nbell\x07 zero\u200b\u202ewidth \U000e0041tag \ud800half\ttab"
    result = await speaking(text, 500)(NOWHERE).call(a_call("speak", {}), Turn(persona("speak")))
    assert result.text == "red\nbell zerowidth tag ?half\ttab"


async def test_output_that_is_no_json_is_a_failure_of_its_tool() -> None:
    async def circle() -> Any:
        """Return something endless."""
        endless: list[Any] = []
        endless.append(endless)
        return endless

    assert (await call("circle", tools={"circle": tool(circle)})).status == "failed"
