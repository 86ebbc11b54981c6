"""Asks each model's server whether it is there, takes the key, and has the model; for `doctor`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from agent_gateway.completion import ModelSpec
from agent_gateway.errors import ModelFailed
from agent_gateway.interfaces import ModelReport
from agent_gateway.messages import Tier
from agent_gateway.models.keys import read_key

OK, MISSING, REFUSED, DOWN, UNKNOWN = "ok", "missing", "refused", "down", "unknown"
#: Seconds for all probes together: they run side by side.
_TIMEOUT = 3.0
#: What an answer may weigh, in bytes: a list of models is short, and this is read whole.
_LARGEST = 4 * 1024 * 1024


class _Named(msgspec.Struct, frozen=True):
    """A model in the list of an OpenAI server (`id`) or of an Ollama (`name`)."""

    id: str = ""
    name: str = ""


class _Listed(msgspec.Struct, frozen=True):
    data: tuple[_Named, ...] | None = ()
    models: tuple[_Named, ...] | None = ()

    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.id or each.name for each in (*(self.data or ()), *(self.models or ()))))


async def probe_all(tiers: Mapping[Tier, Sequence[ModelSpec]], seconds: float = _TIMEOUT) -> tuple[ModelReport, ...]:
    """One report for each model, in the order of the tiers, after `seconds` at most."""
    # Without the environment's proxies, as the models are asked later.
    async with httpx.AsyncClient(trust_env=False, timeout=seconds) as client:
        wanted = [(tier, spec) for tier, specs in tiers.items() for spec in specs]
        return tuple(await asyncio.gather(*(probe(tier, spec, client, seconds) for tier, spec in wanted)))


async def probe(tier: Tier, spec: ModelSpec, client: httpx.AsyncClient, seconds: float = _TIMEOUT) -> ModelReport:
    """What the server of one model says. `unknown` when the model's provider has no address that could be asked."""
    report = ModelReport(tier=tier, model=spec.model, address=spec.address, state=UNKNOWN)
    if not spec.address:
        return msgspec.structs.replace(report, detail="has no address of its own, and is asked through its provider")
    began = time.perf_counter()
    try:
        async with asyncio.timeout(seconds):
            found = await _ask(spec, client)
    except TimeoutError:
        found = {"state": DOWN, "detail": f"no answer within {seconds:.0f} s"}
    return msgspec.structs.replace(report, ms=round((time.perf_counter() - began) * 1000, 1), **found)


async def _ask(spec: ModelSpec, client: httpx.AsyncClient) -> dict[str, Any]:
    ollama = spec.provider.startswith("ollama") and not spec.direct
    try:
        key = read_key(spec)
        headers = {"authorization": f"Bearer {key}"} if key else {}
        status, body = await _get(client, f"{_place(spec)}{'/api/tags' if ollama else '/models'}", headers)
    except ModelFailed as error:
        return {"state": REFUSED, "detail": error.detail}
    except httpx.HTTPError as error:
        return {"state": DOWN, "detail": str(error) or type(error).__name__}
    if status in {401, 403}:
        return {"state": REFUSED, "detail": f"the server refuses the key: status {status}"}
    if status != 200:
        return {"state": DOWN, "detail": f"the server answers with status {status}"}
    try:
        names = msgspec.json.decode(body, type=_Listed).names()
    except msgspec.DecodeError:
        return {"state": DOWN, "detail": "the server answers, but not with a list of models"}
    wanted = {spec.name, f"{spec.name}:latest"} if ollama else {spec.name}
    if wanted.isdisjoint(names):
        return {"state": MISSING, "models": names, "detail": f"the server has no model {spec.name}"}
    return {"state": OK, "models": names}


def _place(spec: ModelSpec) -> str:
    """Where the interface is: a direct address without a path means `/v1`, as for the calls."""
    return f"{spec.address}/v1" if spec.direct and not urlsplit(spec.address).path else spec.address


async def _get(client: httpx.AsyncClient, url: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    body = bytearray()
    async with client.stream("GET", url, headers=headers) as answer:
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > _LARGEST:
                break
        return answer.status_code, bytes(body)
