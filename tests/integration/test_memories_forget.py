"""What agents remember is forgotten on demand: by the command line, with and without a gateway."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import msgspec
from tests.turn_house import stock, stocked_gateway

import agent_gateway as ag
from agent_gateway.cli.control import ControlClient
from agent_gateway.interfaces import Forgetting
from agent_gateway.messages import Answer
from agent_gateway.runs.outbox import read_delivery
from agent_gateway.testing import GatewayClient

NORA = ag.Persona(id="nora", port=1, title="Engineer", prompt="Help.", collections=("docs",))
OTTO = ag.Persona(id="otto", port=2, title="Other", prompt="Help.", collections=("docs",))
DOCUMENTS = {
    "docs": {
        "runbooks/drain.md": "# Draining\n\nTo drain a node takes ten minutes. First cordon the node.\n",
        "backup.md": "# Backups\n\nBackups run every night. A restore takes an hour.\n",
    }
}
DRAIN, RESTORE = "How long does it take to drain a node?", "How long does a restore take?"


async def command(folder: Path, *arguments: str) -> Any:
    """Run the command line in a process of its own, and return the document that it wrote."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("AGENT_GATEWAY")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent_gateway", *arguments, "--data-dir", str(folder / "data"), "--json",
        cwd=folder, env=variables, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return msgspec.json.decode(out)


async def until_recalled(gateway: GatewayClient, persona: str, question: str) -> Answer:
    """Ask until the knowledge base, which is written behind the reply, knows of it."""
    async with asyncio.timeout(10):
        while True:
            answer = await gateway.ask(persona, question)
            if answer.asked_before:
                return answer
            await asyncio.sleep(0.05)


async def test_a_running_gateway_forgets_at_once_what_was_answered_from_a_source(tmp_path: Path) -> None:
    await stock(tmp_path, DOCUMENTS)
    async with stocked_gateway(tmp_path, NORA, OTTO) as gateway:
        for persona, question in (("nora", DRAIN), ("nora", RESTORE), ("otto", DRAIN)):
            await until_recalled(gateway, persona, question)
        counted = await command(tmp_path, "forget", "--source", "runbooks/*", "--dry-run")
        assert (counted["matching"] >= 4, counted["dry_run"]) == (True, True)
        assert (await gateway.ask("otto", DRAIN)).asked_before
        done = await command(tmp_path, "forget", "--source", "runbooks/*", "--persona", "nora")
        assert 2 <= done["matching"] < counted["matching"]
        assert (await gateway.ask("nora", DRAIN)).asked_before == ()
        assert (await gateway.ask("nora", RESTORE)).asked_before
        assert (await gateway.ask("otto", DRAIN)).asked_before


async def test_what_waits_for_the_knowledge_base_never_arrives(tmp_path: Path) -> None:
    await stock(tmp_path, DOCUMENTS)
    async with stocked_gateway(tmp_path, NORA) as gateway:
        first = await gateway.ask("nora", DRAIN)
        inside = gateway.house.gateway
        assert inside._runs is not None
        assert inside._stock is not None
        # The row is in the run database, and the knowledge base is given it a second later.
        waiting = await inside._runs._database.read(read_delivery)
        assert [each.run_id for each in waiting.remember] == [first.run_id]
        async with ControlClient(gateway.house.bound.control.url, gateway.house.token) as control:
            assert await control.forget(Forgetting(run_id=first.run_id)) == 1
        second = await until_recalled(gateway, "nora", DRAIN)
        assert first.run_id not in {each.run_id for each in second.asked_before}
        kept = (await inside._stock.store.load_interactions()).interactions
        assert first.run_id not in {each.run_id for each in kept}


async def test_without_a_gateway_the_data_directory_forgets(tmp_path: Path) -> None:
    await stock(tmp_path, DOCUMENTS)
    async with stocked_gateway(tmp_path, NORA) as gateway:
        await until_recalled(gateway, "nora", DRAIN)
        await until_recalled(gateway, "nora", RESTORE)
    assert (await command(tmp_path, "forget", "--source", "backup.md"))["matching"] >= 2
    async with stocked_gateway(tmp_path, NORA) as gateway:
        assert (await gateway.ask("nora", RESTORE)).asked_before == ()
        assert (await gateway.ask("nora", DRAIN)).asked_before
    assert (await command(tmp_path, "forget", "--owner", "local"))["matching"] >= 4
    assert (await command(tmp_path, "forget", "--owner", "local"))["matching"] == 0
    async with stocked_gateway(tmp_path, NORA) as gateway:
        assert (await gateway.ask("nora", DRAIN)).asked_before == ()
