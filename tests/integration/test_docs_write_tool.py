"""The plugin of "Write a tool" in docs/plugins.md, dropped into a folder: it does what the page says it does.

As a program this file is a gateway with that plugin, which is killed in the middle of a write.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import Any

import httpx
import pytest
import structlog
from tests.contract.doc_pages import ROOT, fences, read
from tests.turn_house import persona_http

import agent_gateway as ag
from agent_gateway.config import load_configuration
from agent_gateway.gateway import Parts
from agent_gateway.registry import build_registry
from agent_gateway.server.hosting import open_house
from agent_gateway.testing import (
    GatewayClient,
    HashingEncoder,
    Reply,
    ScriptedModelServer,
    StaticClassifier,
    StaticKnowledge,
)
from agent_gateway.tool import Declarations

PAGE = "docs/plugins.md"
MODULE = "plugins/switches/agent_gateway_switches.py"
SETTINGS_FOLDER = "/srv/shop/switches"
OFF = '{"position": "off", "note": "ask Ann first"}'
#: The line of the plugin in which the world changes.
EFFECT = "            draft.replace(target.name)"
DIE = "            os.kill(os.getpid(), 9)"


def section() -> dict[str, list[str]]:
    """The blocks of the section, by language."""
    page = read(PAGE)
    start = page.index("\n## Write a tool\n")
    text = page[start : page.index("\n## ", start + 1)]
    blocks: dict[str, list[str]] = {}
    for fence in fences(PAGE, text):
        blocks.setdefault(fence.language, []).append(fence.text)
    return blocks


@dataclass(frozen=True)
class Shop:
    """A folder with the page's plugin, its settings, and a folder of switches."""

    folder: Path

    @property
    def switches(self) -> Path:
        """The folder that the settings name."""
        return self.folder / "shop"

    def switch(self, name: str = "dark_mode") -> dict[str, Any]:
        """A switch as it is now."""
        found: dict[str, Any] = json.loads((self.switches / f"{name}.json").read_text())
        return found

    def drop_in(self, module: str, *more: str) -> None:
        """Write the plugin, and settings with what is added to them."""
        (settings,) = section()["yaml"]
        assert SETTINGS_FOLDER in settings
        path = self.folder / MODULE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(module, encoding="utf-8")
        written = [settings.replace(SETTINGS_FOLDER, str(self.switches)), *more]
        (self.folder / "agent-gateway.yaml").write_text("".join(written), encoding="utf-8")

    def set_policy(self, policy: str) -> None:
        """Write a policy for the page's persona."""
        (self.folder / "personas.yaml").write_text(f"personas: {{shopkeeper: {{policy: {{{policy}}}}}}}\n")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    made.switches.mkdir()
    for name in ("dark_mode", "payments"):
        (made.switches / f"{name}.json").write_text(OFF)
    made.drop_in(section()["python"][0], "models: {discover: false}\n")
    return made


@asynccontextmanager
async def served(shop: Shop) -> AsyncIterator[GatewayClient]:
    """A gateway of the shop's folder in this process, that understands every message as something to be changed."""
    registry = build_registry(load_configuration(folder=shop.folder, environ={}))
    assert {info.name: (info.errors, info.notes) for info in registry.plugins if info.name != "builtin"} == {
        "switches": ((), ())
    }
    parts = Parts(encoder=HashingEncoder(), classifier=StaticClassifier("deploy"), knowledge=StaticKnowledge())
    with open_house(load_configuration(folder=shop.folder, environ={}), registry, parts=parts) as house:
        async with house.served():
            yield GatewayClient(house)


async def decide(gateway: GatewayClient, asked: ag.Answer, decision: str) -> dict[str, Any]:
    """Decide on what a turn waits for; returns its answer once it has ended."""
    (waiting,) = asked.approvals
    async with persona_http(gateway, "shopkeeper") as http:
        (await http.post(f"/v1/approvals/{waiting.id}", json={"decision": decision})).raise_for_status()
        return await ended(http, asked.run_id)


async def ended(http: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    """The answer of a run, once it has ended."""
    assert (await http.get(f"/v1/runs/{run_id}/events")).text
    run = (await http.get(f"/v1/runs/{run_id}")).json()
    assert run["status"] == "completed", run
    answer: dict[str, Any] = run["answer"]
    return answer


async def ask(gateway: GatewayClient, message: str = "Turn dark_mode on") -> ag.Answer:
    return await gateway.ask("shopkeeper", message)


def statuses(answer: dict[str, Any] | ag.Answer) -> list[tuple[str, str]]:
    """The calls of an answer, and what became of them."""
    if isinstance(answer, ag.Answer):
        return [(call.name, call.status) for call in answer.tool_calls]
    return [(call["name"], call["status"]) for call in answer["tool_calls"]]


async def test_approved_write_is_made_exactly_once(shop: Shop) -> None:
    async with served(shop) as gateway:
        asked = await ask(gateway)
        assert asked.status == "waiting"
        assert shop.switch() == json.loads(OFF)
        async with persona_http(gateway, "shopkeeper") as http:
            (shown,) = (await http.get("/v1/approvals")).json()["approvals"]
        assert (shown["tool"], shown["summary"]) == ("switch_set", "Turn 'dark_mode' on.")
        assert shown["diff"].splitlines()[-2:] == ["-position: off", "+position: on"]
        answer = await decide(gateway, asked, "approve")
        assert statuses(answer) == [("switch_set", "ok")]
        assert "'dark_mode' is on." in answer["response"]
        assert "Verified: 'dark_mode' was turned on by this call." in answer["response"]
        turned = {"position": "on", "note": "ask Ann first", "marks": [f"{asked.run_id}.plain-1"]}
        assert shop.switch() == turned
        assert await decide(gateway, asked, "approve") == answer
    async with served(shop):
        assert shop.switch() == turned


async def test_rejected_write_leaves_nothing(shop: Shop) -> None:
    async with served(shop) as gateway:
        answer = await decide(gateway, await ask(gateway), "reject")
    assert statuses(answer) == [("switch_set", "refused")]
    assert {file.name: file.read_text() for file in shop.switches.iterdir()} == {
        "dark_mode.json": OFF,
        "payments.json": OFF,
    }


@pytest.mark.parametrize("content", ['{"position": "off", "note": "Ann says no"}', '{"position": "on"}'])
async def test_switch_that_changed_before_the_approval_is_left_alone(shop: Shop, content: str) -> None:
    async with served(shop) as gateway:
        asked = await ask(gateway)
        (shop.switches / "dark_mode.json").write_text(content)
        answer = await decide(gateway, asked, "approve")
    assert statuses(answer) == [("switch_set", "failed")]
    assert "has changed since it was looked at" in answer["response"]
    assert "It has not happened" in answer["response"]
    assert (shop.switches / "dark_mode.json").read_text() == content


@pytest.mark.parametrize(
    ("message", "status", "told"),
    [
        ("Turn payments on", "refused", "is turned by people alone"),
        ("Turn dark_mode off", "failed", "is off already"),
        ("Turn beta_search on", "failed", "there is no switch"),
        ("Turn dark-mode on", "failed", "The call does not fit"),
    ],
)
async def test_nobody_is_asked_about_what_is_not_done(shop: Shop, message: str, status: str, told: str) -> None:
    async with served(shop) as gateway:
        answer = await ask(gateway, message)
    assert (answer.status, statuses(answer)) == ("completed", [("switch_set", status)])
    assert told in answer.response


async def test_policy_suggest_only_refuses_the_write(shop: Shop) -> None:
    shop.set_policy("suggest_only: true")
    async with served(shop) as gateway:
        answer = await ask(gateway)
    assert statuses(answer) == [("switch_set", "refused")]
    assert shop.switch() == json.loads(OFF)


async def test_policy_auto_makes_a_plain_request_at_once(shop: Shop) -> None:
    shop.set_policy("auto: [switch_set]")
    async with served(shop) as gateway:
        answer = await ask(gateway)
    assert (answer.status, statuses(answer)) == ("completed", [("switch_set", "ok")])
    assert shop.switch()["marks"] == [f"{answer.run_id}.plain-1"]


@asynccontextmanager
async def served_with_model(shop: Shop, *replies: Reply) -> AsyncIterator[tuple[GatewayClient, ScriptedModelServer]]:
    """The same with a model that gives these replies."""
    async with ScriptedModelServer(("demo",), replies) as model:
        small = f"[{{model: openai/demo, address: '{model.openai_url}', direct: true}}]"
        shop.drop_in(section()["python"][0], f"models: {{discover: false, small: {small}}}\n")
        async with served(shop) as gateway:
            yield gateway, model


LIST = Reply(tool_calls=[("switch_list", {})])
SET = Reply(tool_calls=[("switch_set", {"name": "dark_mode", "position": "on"})])


async def test_model_sees_notes_without_secrets_and_addresses(shop: Shop) -> None:
    token = "ghp_" + "a1B2c3D4" * 5
    # What is shown of a note ends in the middle of the token.
    note = f"told by ann@example.org; for the old shop, Bob put this here: {token} and left"
    (shop.switches / "dark_mode.json").write_text(json.dumps({"position": "off", "note": note}))
    async with served_with_model(shop, LIST, Reply("Two are off.")) as (gateway, model):
        answer = await ask(gateway, "Which switches are there?")
    assert statuses(answer) == [("switch_list", "ok")]
    told = str(model.requests[1].messages)
    assert "dark_mode  off  told by [redacted]; for the old shop, Bob put this here: [redacted]" in told
    assert "payments  off  ask Ann first" in told
    assert "ann@" not in told
    assert token[:12] not in told


async def test_policy_auto_asks_once_a_model_has_read_what_nobody_vouches_for(shop: Shop) -> None:
    shop.set_policy("auto: [switch_set]")
    async with served_with_model(shop, LIST, SET, Reply("It waits."), Reply("Done.")) as (gateway, _):
        asked = await ask(gateway, "Is dark_mode on? If not, I want it on.")
        assert asked.status == "waiting"
        assert shop.switch() == json.loads(OFF)
        answer = await decide(gateway, asked, "approve")
    assert statuses(answer) == [("switch_list", "ok"), ("switch_set", "ok")]
    assert shop.switch()["position"] == "on"


async def test_policy_auto_lets_a_model_write_that_has_read_the_request_alone(shop: Shop) -> None:
    shop.set_policy("auto: [switch_set]")
    async with served_with_model(shop, SET, Reply("Done.")) as (gateway, model):
        answer = await ask(gateway, "I want dark_mode to be on.")
    assert (answer.status, statuses(answer)) == ("completed", [("switch_set", "ok")])
    (tool,) = [each["function"] for each in model.requests[0].body["tools"] if each["function"]["name"] == "switch_set"]
    assert tool["parameters"]["properties"].keys() == {"name", "position"}
    assert len(shop.switch()["marks"]) == 1


@pytest.mark.parametrize("place", ["before the effect", "after the effect"])
async def test_write_is_made_once_by_a_gateway_that_is_killed_in_it(shop: Shop, place: str) -> None:
    page = (shop.folder / MODULE).read_text()
    assert page.count(EFFECT) == 1
    replaced = f"{DIE}\n{EFFECT}" if place == "before the effect" else f"{EFFECT}\n{DIE}\n{'':12}"
    (shop.folder / MODULE).write_text(
        page.replace(EFFECT, replaced).replace("import hashlib", "import hashlib\nimport os")
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.test_docs_write_tool", str(shop.folder), cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    async with httpx.AsyncClient(base_url=url, timeout=20, trust_env=False) as http:
        asked = (await http.post("/v1/chat", json={"message": "Turn dark_mode on"})).json()
        with suppress(httpx.TransportError):
            await http.post(f"/v1/approvals/{asked['approvals'][0]['id']}", json={"decision": "approve"})
    assert await asyncio.wait_for(process.wait(), 20) == -SIGKILL
    made = place == "after the effect"
    assert ("marks" in shop.switch()) is made
    (shop.folder / MODULE).write_text(page)
    async with served(shop) as gateway, persona_http(gateway, "shopkeeper") as http:
        answer = await ended(http, asked["run_id"])
    assert statuses(answer) == [("switch_set", "ok")]
    assert ("The gateway was cut off meanwhile. Verified" in answer["response"]) is made
    assert shop.switch()["position"] == "on"
    assert shop.switch()["marks"] == [f"{asked['run_id']}.plain-1"]


async def test_verify_tells_what_can_be_known(shop: Shop) -> None:
    registry = build_registry(load_configuration(folder=shop.folder, environ={}))
    tool = registry.tools["switch_set"]
    assert tool.preview is not None
    assert tool.verify is not None
    call = {"name": "dark_mode", "position": "on"}
    targets = (await tool.preview(**call)).targets
    warrant = ag.Warrant(key="run_1.call_1", run_id="run_1", persona="shopkeeper", requester="ann", targets=targets)
    assert (await tool.verify(**call, warrant=warrant)).outcome == "not_done"
    assert await tool.run(**call, warrant=warrant) == "'dark_mode' is on."
    assert (await tool.verify(**call, warrant=warrant)).outcome == "done"
    before = shop.switch()
    assert await tool.run(**call, warrant=warrant) == "'dark_mode' was turned on by this call before."
    assert shop.switch() == before
    marks = [f"run_{number}.call_1" for number in range(2, 22)]
    (shop.switches / "dark_mode.json").write_text(json.dumps(before | {"marks": marks}))
    assert (await tool.verify(**call, warrant=warrant)).outcome == "unknown"
    with pytest.raises(ag.Conflict):
        await tool.run(**call, warrant=warrant)
    (shop.switches / "dark_mode.json").write_text("{")
    with pytest.raises(ag.Unavailable):
        await tool.verify(**call, warrant=warrant)


async def test_the_test_of_the_page_passes(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    namespace: dict[str, Any] = {}
    exec(compile(section()["python"][1], PAGE, "exec"), namespace)
    (test,) = [
        each for name, each in namespace.items() if name.startswith("test_") and inspect.iscoroutinefunction(each)
    ]
    monkeypatch.chdir(shop.folder)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "own").mkdir()
    await test(tmp_path / "own")


def test_the_page_names_every_declaration_of_a_tool() -> None:
    page = read(PAGE)
    start = page.index("\n### A tool that reads\n")
    rows = re.findall(
        r"^\| ((?:`[a-z_]+`(?:, )?)+)[^|]*\|", page[start : page.index("\n### ", start + 1)], re.MULTILINE
    )
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
    assert named == {"name", *Declarations.__annotations__}


async def serve_until_killed(folder: Path) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    async with served(Shop(folder)) as gateway:
        sys.stdout.write(f"{gateway.url('shopkeeper')}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve_until_killed(Path(sys.argv[1])))
