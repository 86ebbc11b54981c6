from __future__ import annotations

from pathlib import Path

import pytest

from agent_gateway.completion import ModelSpec, Price, Timeouts
from agent_gateway.config import Configuration, Settings, load_configuration
from agent_gateway.errors import ConfigurationError, InvalidInput
from agent_gateway.messages import Tier
from agent_gateway.persona import Persona
from agent_gateway.registry.personas import override, settle_persona


def load(folder: Path, text: str = "", **environ: str) -> Configuration:
    (folder / "agent-gateway.yaml").write_text(text, encoding="utf-8")
    return load_configuration(folder=folder, environ=environ)


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        load(folder, text)
    return [str(fault) for fault in raised.value.faults]


def specs(folder: Path, text: str, **environ: str) -> dict[Tier, tuple[ModelSpec, ...]]:
    return dict(load(folder, text, **environ).settings.models.specs())


def test_nothing_is_configured_by_default() -> None:
    assert Settings().models.specs() == {}
    assert Settings().models.discover


def test_an_entry_that_says_nothing_is_the_tier_s_default(tmp_path: Path) -> None:
    found = specs(tmp_path, "models: {small: [{}], medium: [{}], large: [{}]}")
    (small,), (medium,), (large,) = found["small"], found["medium"], found["large"]
    assert (small.model, small.address, small.window) == ("ollama_chat/llama3:8b", "http://127.0.0.1:11434", 8192)
    assert (medium.model, medium.temperature, medium.max_tokens) == ("ollama_chat/codellama:13b", 0.3, 1000)
    assert large.model == "hosted_vllm/meta-llama/Meta-Llama-3.1-70B-Instruct"
    assert (large.address, large.temperature, large.max_tokens) == ("http://127.0.0.1:8000/v1", 0.7, 2000)
    assert (large.provider, large.name) == ("hosted_vllm", "meta-llama/Meta-Llama-3.1-70B-Instruct")


def test_an_entry_may_be_the_id_alone_and_a_tier_a_list_in_the_environment(tmp_path: Path) -> None:
    found = specs(tmp_path, "models: {small: [ollama_chat/phi3]}", AGENT_GATEWAY__MODELS__LARGE="openai/a, openai/b")
    assert [each.model for each in found["small"]] == ["ollama_chat/phi3"]
    assert [each.model for each in found["large"]] == ["openai/a", "openai/b"]
    as_json = '[{"model": "openai/a", "address": "http://x.lan/v1/"}]'
    (only,) = specs(tmp_path, "", AGENT_GATEWAY__MODELS__LARGE=as_json)["large"]
    assert (only.address, only.temperature) == ("http://x.lan/v1", 0.7)


def test_everything_of_an_entry_can_be_said(tmp_path: Path) -> None:
    text = """
models:
  large:
    - model: hosted_vllm/m
      address: https://vllm.lan/v1
      key_file: /run/secrets/vllm
      window: 4096
      max_tokens: 512
      temperature: 0
      price: {input: 0.5, output: 1.5}
      timeouts: {connect: 1, first: 5, stall: 2, queue: 3}
      concurrency: 7
      direct: true
      tools: json
      tokenizer: TOKENIZER
"""
    tokenizer = tmp_path / "tokenizer.json"
    tokenizer.touch()
    assert specs(tmp_path, text.replace("TOKENIZER", str(tokenizer)))["large"] == (
        ModelSpec(
            model="hosted_vllm/m",
            address="https://vllm.lan/v1",
            key_file="/run/secrets/vllm",
            window=4096,
            max_tokens=512,
            temperature=0.0,
            price=Price(input=0.5, output=1.5),
            timeouts=Timeouts(connect=1.0, first=5.0, stall=2.0, queue=3.0),
            concurrency=7,
            direct=True,
            tools="json",
            tokenizer=str(tokenizer),
        ),
    )


def test_an_answer_leaves_room_for_the_question(tmp_path: Path) -> None:
    assert specs(tmp_path, "models: {large: [{window: 1024}]}")["large"][0].max_tokens == 512


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{adress: http://x.lan}", "models.small.0.adress: is not a known key"),
        ("{address: x.lan}", "models.small.0.address: must be like http://ollama.lan:11434"),
        ("{address: 'http://me:pw@x.lan'}", "must be like http://ollama.lan:11434"),
        ("{model: llama3}", "must be a provider, a slash and a model"),
        ("{window: 10}", "models.small.0.window"),
        ("{window: 1000, max_tokens: 1000}", "max_tokens must be less than window"),
        ("{key_env: A, key_file: /b}", "name two keys"),
        ("{model: openai/x, direct: true}", "direct needs an address"),
        ("{tokenizer: /no/tokenizer.json}", "there is no file '/no/tokenizer.json'"),
        ("{key_file: secret.txt}", "must be an absolute path"),
        ("{price: {input: -1}}", "models.small.0.price.input"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, entry: str, said: str) -> None:
    (found, *_) = faults(tmp_path, f"models: {{small: [{entry}]}}")
    assert said in found


def test_a_persona_has_models_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "personas.yaml").write_text(
        "personas: {bruno: {port: 30120, title: B, prompt: P, daily_budget: 2, cancel_on_disconnect: true,"
        " models: {large: [{model: openai/gpt, key_env: KEY}]}}}",
        encoding="utf-8",
    )
    entry = load(tmp_path).entries["bruno"]
    persona = override(Persona(id="bruno", title="", prompt=""), entry)
    assert [each.model for each in persona.models["large"]] == ["openai/gpt"]
    assert persona.models["large"][0].temperature == 0.7
    assert (persona.daily_budget, persona.cancel_on_disconnect) == (2.0, True)


def test_a_plugin_s_persona_may_bring_models() -> None:
    given = ModelSpec(model="acme/big", window=4000, max_tokens=1000, temperature=0.3, concurrency=4)
    settled = settle_persona(Persona(id="a", title="A", prompt="P", port=1, models={"large": (given,)}))
    # What a plugin writes is meant, also where the tier's own default is another one.
    assert settled.models["large"] == (given,)
    wrong = ModelSpec(model="acme/tiny", window=600)
    with pytest.raises(InvalidInput, match="max_tokens must be less than window"):
        settle_persona(Persona(id="a", title="A", prompt="P", port=1, models={"small": (wrong,)}))
    assert settle_persona(Persona(id="a", title="A", prompt="P", port=1)).models == {}
