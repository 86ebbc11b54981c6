"""Finds an Ollama on this machine, and the tiers its models can serve, for a gateway that has no model configured."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from agent_gateway.completion import ModelSpec
from agent_gateway.config.models import DEFAULT_MODELS, OLLAMA_ADDRESS, ModelEntry, ModelTier, check_address
from agent_gateway.messages import Tier

#: Seconds for an answer from this machine; a server that needs longer is found the next time.
_TIMEOUT = 0.5
_PORT = 11434
_PROVIDER = "ollama_chat"
#: Tiers that a small machine can serve; a large model is configured on purpose.
_TIERS: tuple[ModelTier, ...] = ("small", "medium")


class InstalledModel(msgspec.Struct, frozen=True):
    """A model as Ollama lists it; `size` is in bytes."""

    name: str = ""
    size: int = 0
    details: Mapping[str, Any] = {}
    capabilities: tuple[str, ...] = ()

    @property
    def chats(self) -> bool:
        """Whether it is a model that talks; one that makes vectors of texts does not."""
        if self.capabilities:
            return "completion" in self.capabilities
        family = str(self.details.get("family", ""))
        return "bert" not in family and "embed" not in self.name


class _Tags(msgspec.Struct, frozen=True):
    models: tuple[InstalledModel, ...] = ()


def ollama_address(environ: Mapping[str, str] = os.environ) -> str:
    """Where Ollama listens: its usual loopback port, unless `OLLAMA_HOST` says otherwise, in Ollama's own spelling."""
    host = environ.get("OLLAMA_HOST", "").strip()
    try:
        url = urlsplit(check_address(host if "://" in host else f"http://{host}"))
        port = url.port or ({"http": 80, "https": 443}[url.scheme] if "://" in host else _PORT)
    except ValueError:
        return OLLAMA_ADDRESS
    # What a server binds to say "everywhere" is no address to connect to.
    name = "127.0.0.1" if url.hostname in {None, "", "0.0.0.0", "::"} else url.hostname
    return f"{url.scheme}://{f'[{name}]' if ':' in str(name) else name}:{port}{url.path}"


async def listens(address: str) -> bool:
    """Whether anybody does, which takes a millisecond to find out on this machine when nobody does."""
    url = urlsplit(address)
    try:
        async with asyncio.timeout(_TIMEOUT):
            _, writer = await asyncio.open_connection(url.hostname, url.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def list_installed(address: str) -> tuple[InstalledModel, ...]:
    """The models an Ollama has; none when there is no Ollama at the address."""
    if not await listens(address):
        return ()
    try:
        # Without the environment's proxies: this asks this machine, or one that was named.
        async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT) as client:
            answer = await client.get(f"{address}/api/tags")
        return msgspec.json.decode(answer.content, type=_Tags).models if answer.is_success else ()
    except (httpx.HTTPError, msgspec.DecodeError):
        return ()


async def discover(address: str = "") -> dict[Tier, tuple[ModelSpec, ...]]:
    """The tiers that the Ollama at an address (or the usual one) can serve; empty when it can serve none."""
    found = address or ollama_address()
    return assign(await list_installed(found), found)


def assign(installed: Sequence[InstalledModel], address: str) -> dict[Tier, tuple[ModelSpec, ...]]:
    """The default models where they are installed; without any of them the smallest model and the largest."""
    chatting = sorted((each for each in installed if each.chats and each.name), key=lambda each: each.size)
    names = {each.name for each in chatting}
    chosen = {tier: DEFAULT_MODELS[tier] for tier in _TIERS if DEFAULT_MODELS[tier].partition("/")[2] in names}
    if not chosen and chatting:
        chosen = {"small": f"{_PROVIDER}/{chatting[0].name}", "medium": f"{_PROVIDER}/{chatting[-1].name}"}
    return {tier: (ModelEntry(model=model, address=address).spec(tier),) for tier, model in chosen.items()}
