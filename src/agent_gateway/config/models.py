"""Settings of the language models: which serve a tier, and how long anything may take. Times are seconds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

import msgspec
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from agent_gateway.completion import ModelSpec, Price, Timeouts, ToolMode
from agent_gateway.config.scalars import Count, Number, Section, split_list
from agent_gateway.messages import Tier

ModelTier: TypeAlias = Literal["small", "medium", "large"]

OLLAMA_ADDRESS = "http://127.0.0.1:11434"
#: What a tier's entry means where it says nothing: the model, its window, and how it writes.
DEFAULT_MODELS: Mapping[ModelTier, str] = {
    "small": "ollama_chat/llama3:8b",
    "medium": "ollama_chat/codellama:13b",
    "large": "hosted_vllm/meta-llama/Meta-Llama-3.1-70B-Instruct",
}
DEFAULT_ADDRESSES: Mapping[str, str] = {
    "ollama_chat": OLLAMA_ADDRESS,
    "ollama": OLLAMA_ADDRESS,
    "hosted_vllm": "http://127.0.0.1:8000/v1",
}
DEFAULT_WINDOWS: Mapping[str, int] = {
    "ollama_chat/codellama:13b": 16_384,
    "hosted_vllm/meta-llama/Meta-Llama-3.1-70B-Instruct": 32_768,
}
_TEMPERATURES: Mapping[ModelTier, float] = {"small": 0.3, "medium": 0.3, "large": 0.7}
_MAX_TOKENS: Mapping[ModelTier, int] = {"small": 1000, "medium": 1000, "large": 2000}
_CONCURRENCY: Mapping[ModelTier, int] = {"small": 4, "medium": 4, "large": 64}


def check_address(value: str) -> str:
    """Refuse what is no address of a server; one with a user in it would put a password into logs."""
    if not re.fullmatch(r"https?://[^/\s?#@]+(/[^\s?#]*)?", value):
        raise ValueError("must be like http://ollama.lan:11434 or https://vllm.lan/v1")
    return value.rstrip("/")


def check_model(value: str) -> str:
    """Refuse what is no id of a model."""
    if not re.fullmatch(r"[^/\s]+/\S+", value):
        raise ValueError("must be a provider, a slash and a model, such as ollama_chat/llama3:8b")
    return value


def check_file(value: str) -> str:
    """Refuse a file that would be looked for in whatever folder the gateway is started in."""
    if value and not Path(value).is_absolute():
        raise ValueError("must be an absolute path")
    return value


def spell_out(value: Any) -> Any:
    """Understand an entry that is only the model's id, and one that a plugin wrote as a `ModelSpec`."""
    if isinstance(value, ModelSpec):
        fields: dict[str, Any] = msgspec.to_builtins(value)
        # A spec is whole: only where it names no address the provider's is meant.
        return fields if value.address else {**fields, "address": None}
    return {"model": value} if isinstance(value, str) else value


File = Annotated[str, AfterValidator(check_file)]


class PriceSettings(Section):
    """USD for a million tokens."""

    input: Annotated[Number, Field(ge=0)] = 0.0
    output: Annotated[Number, Field(ge=0)] = 0.0


class TimeoutSettings(Section):
    """How long to wait: to be connected, for the first piece, between two pieces, in the queue."""

    connect: Annotated[Number, Field(gt=0)] = Timeouts().connect
    first: Annotated[Number, Field(gt=0)] = Timeouts().first
    stall: Annotated[Number, Field(gt=0)] = Timeouts().stall
    queue: Annotated[Number, Field(gt=0)] = Timeouts().queue


class ModelEntry(Section):
    """One model of a tier. What is None is the tier's default; the key is named, never written here."""

    model: Annotated[str, AfterValidator(check_model)] | None = None
    address: Annotated[str, AfterValidator(check_address)] | None = None
    key_env: str = ""
    key_file: File = ""
    window: Annotated[Count, Field(ge=512)] | None = None
    max_tokens: Annotated[Count, Field(ge=1)] | None = None
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    price: PriceSettings = PriceSettings()
    timeouts: TimeoutSettings = TimeoutSettings()
    concurrency: Annotated[Count, Field(ge=1)] | None = None
    direct: bool = False
    tools: ToolMode = "auto"
    tokenizer: File = ""

    @model_validator(mode="after")
    def fit(self) -> Self:
        """Refuse combinations that cannot work."""
        if self.key_env and self.key_file:
            raise ValueError("key_env and key_file name two keys; keep one of them")
        provider = (self.model or "").partition("/")[0]
        if self.direct and not self.address and self.model is not None and provider not in DEFAULT_ADDRESSES:
            raise ValueError("direct needs an address")
        if self.tokenizer and not Path(self.tokenizer).is_file():
            raise ValueError(f"there is no file '{self.tokenizer}' for tokenizer")
        if self.window is not None and self.max_tokens is not None and self.max_tokens >= self.window:
            raise ValueError("max_tokens must be less than window: the question needs room, too")
        return self

    def spec(self, tier: ModelTier) -> ModelSpec:
        """The model as the gateway uses it in a tier."""
        model = self.model or DEFAULT_MODELS[tier]
        window = self.window or DEFAULT_WINDOWS.get(model, 8192)
        provider = model.partition("/")[0]
        return ModelSpec(
            model=model,
            address=self.address or DEFAULT_ADDRESSES.get(provider, ""),
            key_env=self.key_env,
            key_file=self.key_file,
            window=window,
            max_tokens=min(self.max_tokens or _MAX_TOKENS[tier], window // 2),
            temperature=_TEMPERATURES[tier] if self.temperature is None else self.temperature,
            price=Price(**self.price.model_dump()),
            timeouts=Timeouts(**self.timeouts.model_dump()),
            concurrency=self.concurrency or _CONCURRENCY[tier],
            direct=self.direct,
            tools=self.tools,
            tokenizer=self.tokenizer,
        )


Entry = Annotated[ModelEntry, BeforeValidator(spell_out)]
Entries = Annotated[tuple[Entry, ...], BeforeValidator(split_list)]
Tiers = tuple[ModelTier, ...]


def to_specs(models: Mapping[ModelTier, Sequence[ModelEntry]]) -> dict[Tier, tuple[ModelSpec, ...]]:
    """The models of each tier, in order."""
    return {tier: tuple(entry.spec(tier) for entry in entries) for tier, entries in models.items()}


class FallbackSettings(Section):
    """Where a question goes, in order, when its tier cannot answer; after these comes the floor."""

    small: Tiers = ("medium", "large")
    medium: Tiers = ("large", "small")
    large: Tiers = ("medium", "small")


class BreakerSettings(Section):
    """After so many failures in a row a model is left alone; the time doubles with each failed try after it."""

    failures: Annotated[Count, Field(ge=1)] = 3
    cooldown_seconds: Annotated[Number, Field(gt=0)] = 10.0
    longest_seconds: Annotated[Number, Field(gt=0)] = 120.0


class ModelsSettings(Section):
    """The tiers. While none is configured, an Ollama on its usual loopback port is looked for, if `discover`.

    `deadline_seconds`: how long a whole turn may take, all attempts together. `daily_budget`: USD a day (UTC) for each
    persona, 0 for no limit; beyond it only models without a price answer.
    """

    small: Entries = ()
    medium: Entries = ()
    large: Entries = ()
    discover: bool = True
    deadline_seconds: Annotated[Number, Field(gt=0)] = 120.0
    daily_budget: Annotated[Number, Field(ge=0)] = 0.0
    fallback: FallbackSettings = FallbackSettings()
    breaker: BreakerSettings = BreakerSettings()

    def specs(self) -> dict[Tier, tuple[ModelSpec, ...]]:
        """The configured models of each tier that has any."""
        tiers: tuple[ModelTier, ...] = ("small", "medium", "large")
        return to_specs({tier: getattr(self, tier) for tier in tiers if getattr(self, tier)})
