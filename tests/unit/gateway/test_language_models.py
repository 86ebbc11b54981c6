from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from tests.unit.models.fake_models import END, NORA, FakeModel, ListLedger, a_task, text_of

from agent_gateway.completion import ChatModel, ModelProvider, ModelSpec
from agent_gateway.config.models import ModelEntry, ModelsSettings
from agent_gateway.gateway.language_models import LanguageModels, Tiers
from agent_gateway.testing import Reply, ScriptedModelServer


async def ask(models: LanguageModels) -> str:
    return text_of([piece async for piece in models.completions.stream(a_task("small"))])


async def test_configured_models_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    async with ScriptedModelServer(replies=(Reply("Yes."),)) as server:
        entry = ModelEntry(model="ollama/llama3:8b", address=server.openai_url, direct=True)
        ledger, told = ListLedger(), list[Tiers]()
        models = LanguageModels(ModelsSettings(small=(entry,)), {}, ledger, tell=told.append)
        assert [list(tiers) for tiers in told] == [["small"]]
        await models.start()
        assert list(models.completions.standing(NORA)) == ["small"]
        assert await ask(models) == "Yes."
        assert ledger.outcomes == [("ollama/llama3:8b", "ok")]
        assert server.probes == []
        await models.close()


async def test_a_plugin_s_provider_opens_its_models() -> None:
    opened = []

    def connect(spec: ModelSpec) -> ChatModel:
        opened.append(spec.name)
        return FakeModel(["Mine.", END])

    settings = ModelsSettings(small=(ModelEntry(model="mine/tiny"),))
    models = LanguageModels(
        settings, {"mine": ModelProvider(name="mine", connect=connect)}, ListLedger(), tell=lambda tiers: None
    )
    await models.start()
    assert opened == ["tiny"]
    assert await ask(models) == "Mine."
    await models.close()


async def test_without_any_model_an_ollama_is_found_whenever_it_comes() -> None:
    server = ScriptedModelServer(models=("llama3:8b",))
    await server.start()
    await server.stop()
    before = asyncio.all_tasks()
    told: list[Tiers] = []
    models = LanguageModels(ModelsSettings(), {}, ListLedger(), tell=told.append, look_every=0.02)
    completions = models.completions
    await models.start(address=server.url)
    assert completions.standing(NORA) == {}
    async with server:
        async with asyncio.timeout(30):
            while not completions.standing(NORA):  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.01)
        assert completions.standing(NORA)["small"].model == "ollama_chat/llama3:8b"
        assert told[-1]["small"][0].address == server.url
        await models.close()
    assert asyncio.all_tasks() == before


async def test_nothing_is_looked_for_where_that_is_off_or_a_model_is_configured() -> None:
    async with ScriptedModelServer(models=("llama3:8b",)) as server:
        entry = ModelEntry(model="mine/tiny")
        provider = ModelProvider(name="mine", connect=lambda spec: FakeModel([END]))
        for settings in (ModelsSettings(discover=False), ModelsSettings(large=(entry,))):
            models = LanguageModels(
                settings, {"mine": provider}, ListLedger(), tell=lambda tiers: None, look_every=0.02
            )
            await models.start(address=server.url)
            await models.close()
        assert server.probes == []


def test_what_only_litellm_needs_is_not_loaded_without_it() -> None:
    code = (
        "import asyncio, sys\n"
        "from agent_gateway.config.models import ModelEntry, ModelsSettings\n"
        "from agent_gateway.gateway.language_models import LanguageModels\n"
        "class Ledger:\n"
        "    def record(self, use): pass\n"
        "    def spent(self, persona): return 0.0\n"
        "async def main():\n"
        "    entry = ModelEntry(model='hosted_vllm/x', address='http://127.0.0.1:1/v1', direct=True)\n"
        "    models = LanguageModels(ModelsSettings(small=(entry,)), {}, Ledger(), tell=lambda tiers: None)\n"
        "    await models.start()\n"
        "    await models.close()\n"
        "    print('litellm' in sys.modules, 'tiktoken' in sys.modules)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
