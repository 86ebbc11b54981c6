"""How many tokens a text is for a model: rather too many than too few, for a request that is too long is refused."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import importlib.util
import math
from collections import OrderedDict
from functools import cache
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from agent_gateway.completion import CompletionRequest, ModelSpec

log = structlog.get_logger(__name__)

#: cl100k_base as LiteLLM brings it along, named by tiktoken after the address it would be loaded from.
_FILE = "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"
_SHA256 = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
#: How cl100k_base cuts a text into words; tiktoken only says it together with loading the file from the network.
_WORDS = (
    r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"""
    r"""|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
)
#: A model's own vocabulary cuts a text otherwise than cl100k_base, whose 100,000 entries are mostly English and code.
#: Llama 3, Qwen and Mistral's newer ones are as large and stay within a tenth; Llama 2's has 32,000 entries and needs
#: about a quarter more.
_MARGIN, _SMALL_VOCABULARY_MARGIN = 1.1, 1.25
_SMALL_VOCABULARIES = ("codellama", "llama2", "llama-2", "vicuna", "tinyllama", "mistral:7b", "mixtral:8x7b")
#: Shorter texts are counted faster than looked up; and so many longer ones are kept.
_SHORT, _KEPT = 64, 256


def bound(text: str) -> int:
    """A limit no vocabulary exceeds, at once: one token for each byte, and one that some put at the beginning."""
    return len(text.encode("utf-8", "replace")) + 1 if text else 0


def texts_of(request: CompletionRequest) -> list[str]:
    """All of a request that a model reads."""
    texts = [each.content for each in request.messages]
    texts += [made.name + made.arguments for each in request.messages for made in each.tool_requests]
    texts += [msgspec.json.encode(each).decode() for each in (*request.tools, request.schema) if each is not None]
    return texts


class Encode(Protocol):
    """Counts the tokens of a text in one vocabulary."""

    def __call__(self, text: str) -> int:
        """The number of tokens."""
        ...


class TokenCounter:
    """Counts tokens as one model does, or close to it.

    `path` is the model's own `tokenizer.json`; without one, counts are those of cl100k_base times `margin`.
    """

    def __init__(self, path: str = "", margin: float = _MARGIN) -> None:
        self._path = path
        self._margin = 1.0 if path else margin
        self._encode: Encode | None = None
        self._counts: OrderedDict[str, int] = OrderedDict()

    @property
    def warm(self) -> bool:
        """Whether counting no longer loads anything."""
        return self._encode is not None

    async def load(self) -> None:
        """Load the vocabulary in a worker thread, unless it is there; it takes some tenths of a second."""
        if self._encode is None:
            # A file that is no tokenizer makes the library raise a plain `Exception`.
            (found,) = await asyncio.gather(asyncio.to_thread(_load, self._path), return_exceptions=True)
            self._take(found)

    def bound(self, text: str) -> int:
        """A limit that `count` never exceeds, and that costs nothing."""
        return bound(text)

    def count(self, text: str) -> int:
        """The number of tokens; those of long texts are remembered."""
        if len(text) <= _SHORT:
            return self._measure(text)
        known = self._counts.get(text)
        if known is not None:
            self._counts.move_to_end(text)
            return known
        found = self._counts[text] = self._measure(text)
        if len(self._counts) > _KEPT:
            self._counts.popitem(last=False)
        return found

    def _measure(self, text: str) -> int:
        if self._encode is None:
            self._take(_load(self._path))
        assert self._encode is not None
        return min(bound(text), math.ceil(self._encode(text) * self._margin))

    def _take(self, found: Encode | BaseException) -> None:
        if isinstance(found, BaseException):
            if not isinstance(found, Exception):
                raise found
            log.warning("tokenizer_unreadable", path=self._path, error=str(found))
            self._margin = _SMALL_VOCABULARY_MARGIN
            found = _load("")
        self._encode = found


def counter_for(spec: ModelSpec) -> TokenCounter:
    """The counter that suits a model; it loads nothing yet."""
    name = spec.model.lower()
    small = any(each in name for each in _SMALL_VOCABULARIES)
    return TokenCounter(spec.tokenizer, _SMALL_VOCABULARY_MARGIN if small else _MARGIN)


def _load(path: str) -> Encode:
    return _own_vocabulary(path) if path else default_vocabulary()


def _own_vocabulary(path: str) -> Encode:
    from tokenizers import Tokenizer  # noqa: PLC0415 - loaded for a model that has its own only

    tokenizer = Tokenizer.from_file(path)
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


@cache
def default_vocabulary() -> Encode:
    """cl100k_base from the file beside LiteLLM, or half the bytes where that file is missing or another one."""
    data = _read_default()
    if data is None:
        log.warning("tokenizer_missing", looked_for=_FILE, instead="half of the bytes")
        return lambda text: (len(text.encode("utf-8", "replace")) + 1) // 2
    import tiktoken  # noqa: PLC0415 - loaded when the first text is counted

    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in data.splitlines() if line)}
    # Built by hand because tiktoken's own way would go to the network if the file were not where it looks.
    encoding = tiktoken.Encoding("cl100k_base", pat_str=_WORDS, mergeable_ranks=ranks, special_tokens={})
    return lambda text: len(encoding.encode_ordinary(text))


def _read_default() -> bytes | None:
    found = importlib.util.find_spec("litellm")  # finds the folder without importing the library
    for folder in (found.submodule_search_locations or ()) if found is not None else ():
        try:
            data = (Path(folder) / "litellm_core_utils" / "tokenizers" / _FILE).read_bytes()
        except OSError:
            continue
        if hashlib.sha256(data).hexdigest() == _SHA256:
            return data
    return None
