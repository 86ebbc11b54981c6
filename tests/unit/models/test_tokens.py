from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from agent_gateway.completion import ModelSpec
from agent_gateway.models.tokens import TokenCounter, bound, counter_for

TEXTS = ("", "a", "Where are the keys?", "{'a': [1, 2, 3]}\n" * 50, "Ünïcödé 漢字 🔑" * 20, " " * 500, "\udc80 lone")


def test_a_text_has_about_as_many_tokens_as_its_model_says() -> None:
    counter = TokenCounter(margin=1.0)
    assert counter.count("hello world") == 2
    assert counter.count("hello world, " * 100) in range(295, 305)


@pytest.mark.parametrize("margin", [1.0, 1.1, 1.25, 10.0])
def test_a_count_is_never_above_its_bound(margin: float) -> None:
    counter = TokenCounter(margin=margin)
    for text in TEXTS:
        assert 0 <= counter.count(text) <= bound(text) == counter.bound(text)


def test_a_small_vocabulary_needs_more_tokens() -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 40
    code_llama = counter_for(ModelSpec(model="ollama_chat/codellama:13b"))
    llama_3 = counter_for(ModelSpec(model="ollama_chat/llama3:8b"))
    exact = TokenCounter(margin=1.0).count(text)
    assert exact < llama_3.count(text) < code_llama.count(text) <= exact * 1.26


def test_a_long_text_is_counted_once() -> None:
    counter = TokenCounter()
    calls = []
    counter._encode = lambda text: calls.append(text) or len(text)  # type: ignore[func-returns-value]  # returns the length
    for _ in range(3):
        counter.count("x" * 200)
    assert len(calls) == 1
    for number in range(1000):
        counter.count(f"{number} " + "x" * 200)
    assert len(counter._counts) <= 256


async def test_a_model_s_own_tokenizer_is_believed(tmp_path: Path) -> None:
    vocabulary = {"[UNK]": 0, "keys": 1, "where": 2}
    own = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    own.pre_tokenizer = pre_tokenizers.Whitespace()
    path = tmp_path / "tokenizer.json"
    own.save(str(path))
    counter = counter_for(ModelSpec(model="hosted_vllm/x", tokenizer=str(path)))
    before = counter.warm
    await counter.load()
    assert (before, counter.warm) == (False, True)
    assert counter.count("where keys where") == 3


@pytest.mark.parametrize("content", ["", "no json", "{}", None])
async def test_a_file_that_is_no_tokenizer_leaves_the_default(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    counter = TokenCounter(str(path))
    await counter.load()
    assert counter.count("hello world") == 3


def test_nothing_is_loaded_from_the_network_and_litellm_is_not_imported(tmp_path: Path) -> None:
    code = (
        "import socket, sys\n"
        "def refuse(*args, **more): raise SystemExit('the network was used')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from agent_gateway.models.tokens import TokenCounter\n"
        "print(TokenCounter(margin=1.0).count('hello world, how are you'), 'litellm' in sys.modules)\n"
    )
    environment = {**os.environ, "TIKTOKEN_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["6", "False"]
    assert list(tmp_path.iterdir()) == []
