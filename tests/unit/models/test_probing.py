from __future__ import annotations

import socket
import time
from pathlib import Path

import msgspec

from agent_gateway.completion import ModelSpec
from agent_gateway.models.probing import probe_all
from agent_gateway.testing import ScriptedModelServer


async def test_each_server_says_whether_it_has_the_model() -> None:
    async with ScriptedModelServer(models=("llama3:8b", "mistral:latest")) as server:
        ollama = ModelSpec(model="ollama_chat/llama3:8b", address=server.url)
        tagged = ModelSpec(model="ollama_chat/mistral", address=server.url)
        direct = ModelSpec(model="ollama/llama3:8b", address=server.openai_url, direct=True)
        absent = ModelSpec(model="hosted_vllm/other", address=server.openai_url)
        reports = await probe_all({"small": (ollama, tagged), "medium": (direct,), "large": (absent,)})
    assert [(each.tier, each.state) for each in reports] == [
        ("small", "ok"),
        ("small", "ok"),
        ("medium", "ok"),
        ("large", "missing"),
    ]
    assert reports[0].models == ("llama3:8b", "mistral:latest")
    assert all(0 < each.ms < 3000 for each in reports)
    assert reports[3].detail == "the server has no model other"


async def test_a_key_that_is_missing_or_wrong_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("right\n", encoding="utf-8")
    async with ScriptedModelServer(key="right") as server:
        spec = ModelSpec(model="hosted_vllm/llama3:8b", address=server.openai_url)
        from_file = msgspec.structs.replace(spec, key_file=str(path))
        absent = msgspec.structs.replace(spec, key_env="NO_SUCH_KEY")
        reports = await probe_all({"large": (spec, from_file, absent)})
    assert [each.state for each in reports] == ["refused", "ok", "refused"]
    assert "NO_SUCH_KEY" in reports[2].detail


async def test_all_are_asked_side_by_side_and_nobody_is_waited_for() -> None:
    async with ScriptedModelServer() as server:
        gone = server.openai_url
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        specs = [ModelSpec(model="hosted_vllm/x", address=f"http://127.0.0.1:{port}/v1")] * 5
        specs.append(ModelSpec(model="hosted_vllm/x", address=gone))
        began = time.monotonic()
        reports = await probe_all({"large": specs}, seconds=0.3)
        assert time.monotonic() - began < 1.5
    assert {each.state for each in reports} == {"down"}
    assert all(each.detail for each in reports)


async def test_a_model_without_an_address_is_not_claimed_to_be_up() -> None:
    (report,) = await probe_all({"large": (ModelSpec(model="openai/gpt-5"),)})
    assert (report.state, report.ms) == ("unknown", 0.0)


async def test_a_web_page_is_no_list_of_models() -> None:
    async with ScriptedModelServer() as server:
        (report,) = await probe_all({"large": (ModelSpec(model="hosted_vllm/x", address=f"{server.url}/nothing"),)})
    assert report.state == "down"
    assert "404" in report.detail
