from __future__ import annotations

import socket
import time

import pytest

from agent_gateway.models.discovery import InstalledModel, assign, discover, ollama_address
from agent_gateway.testing import ScriptedModelServer

ADDRESS = "http://127.0.0.1:11434"


def installed(**sizes: int) -> tuple[InstalledModel, ...]:
    return tuple(InstalledModel(name=name.replace("_", ":"), size=size) for name, size in sizes.items())


def found(*models: InstalledModel) -> dict[str, str]:
    return {tier: spec.model for tier, (spec,) in assign(models, ADDRESS).items()}


def test_the_default_models_serve_their_tiers() -> None:
    models = (InstalledModel("codellama:13b", 7), InstalledModel("tiny", 1), InstalledModel("llama3:8b", 5))
    assert found(*models) == {"small": "ollama_chat/llama3:8b", "medium": "ollama_chat/codellama:13b"}


def test_one_default_model_serves_its_own_tier_alone() -> None:
    assert found(*installed(tiny=1, codellama_13b=7)) == {"medium": "ollama_chat/codellama:13b"}


def test_without_them_the_smallest_and_the_largest_serve() -> None:
    assert found(*installed(qwen3_4b=3, gemma3_27b=17, phi4=9)) == {
        "small": "ollama_chat/qwen3:4b",
        "medium": "ollama_chat/gemma3:27b",
    }
    assert found(*installed(phi4=9)) == {"small": "ollama_chat/phi4", "medium": "ollama_chat/phi4"}


def test_models_that_do_not_talk_are_left_out() -> None:
    assert not found(
        InstalledModel("all-minilm", 1, {"family": "bert"}),
        InstalledModel("nomic", 1, {"family": "nomic-bert"}),
        InstalledModel("qwen3-embedding:8b", 1, {"family": "qwen3"}),
        InstalledModel("vectors", 1, {"family": "llama"}, ("embedding",)),
    )


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("", ADDRESS),
        ("0.0.0.0", ADDRESS),
        (":11435", "http://127.0.0.1:11435"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("gpu.lan", "http://gpu.lan:11434"),
        ("gpu.lan:80", "http://gpu.lan:80"),
        ("https://gpu.lan/ollama/", "https://gpu.lan:443/ollama"),
        ("http://[::1]:11434", "http://[::1]:11434"),
        ("not an address", ADDRESS),
    ],
)
def test_the_address_is_read_as_ollama_reads_it(host: str, address: str) -> None:
    assert ollama_address({"OLLAMA_HOST": host}) == address
    assert ollama_address({}) == ADDRESS


async def test_an_ollama_that_is_there_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedModelServer(models=("llama3:8b", "codellama:13b")) as server:
        tiers = await discover(server.url)
        (small,), (medium,) = tiers["small"], tiers["medium"]
        assert (small.model, small.address, small.window) == ("ollama_chat/llama3:8b", server.url, 8192)
        assert (medium.model, medium.window) == ("ollama_chat/codellama:13b", 16_384)
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        assert await discover() == tiers


async def test_what_is_no_ollama_is_nothing() -> None:
    async with ScriptedModelServer(models=(), key="secret") as server:
        assert await discover(server.url) == {}
        gone = server.url
    assert await discover(gone) == {}
    assert await discover("http://127.0.0.1:1/no%zz") == {}


async def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        assert await discover(f"http://127.0.0.1:{silent.getsockname()[1]}") == {}
        assert time.monotonic() - began < 2
