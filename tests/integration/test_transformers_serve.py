"""Both adapters against a real server with a real, if meaningless, model: `transformers serve` and a tiny Llama."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.contract.chat_model_doors import DOORS, Door, a_request, collect, text_of

from agent_gateway.errors import ModelFailed

STARTING_SECONDS = 120
CHAT_TEMPLATE = (
    "{% for message in messages %}<s>{{ message['role'] }}: {{ message['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant: {% endif %}"
)
pytestmark = pytest.mark.parametrize("door", [door for door in DOORS if door.api == "openai"], ids=str)


def build_llama(folder: Path) -> None:
    """Write a Llama of 14 thousand random weights, with a tokenizer that knows bytes and a few words."""
    import torch  # noqa: PLC0415 - takes seconds to import
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: PLC0415 - as torch
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast  # noqa: PLC0415 - as torch

    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet, show_progress=False
    )
    words.train_from_iterator(["a pod is a small group of containers"] * 3, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", eos_token="</s>", pad_token="</s>")
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=512, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and name of the model that is served."""
    folder = tmp_path_factory.mktemp("llama")
    build_llama(folder / "model")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = Path(sys.executable).parent / "transformers"
    command: list[str | Path] = [
        program,
        "serve",
        folder / "model",
        "--device",
        "cpu",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "home")}
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until_up(f"http://127.0.0.1:{port}/health", process, log)
        yield f"http://127.0.0.1:{port}/v1", str(folder / "model")
    finally:
        process.terminate()
        process.wait(30)


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers; show what it said when it does not."""
    deadline = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError(f"the model server did not start:\n{log.read_text(errors='replace')[-2000:]}")


async def test_a_real_model_streams_and_ends(door: Door, served: tuple[str, str]) -> None:
    address, name = served
    model = door.open(address, name=name)
    for _ in range(2):
        chunks = await collect(model, a_request("What is a pod?", max_tokens=12, temperature=0.7))
        (finish,) = [chunk.finish for chunk in chunks if chunk.finish]
        (usage,) = [chunk.usage for chunk in chunks if chunk.usage]
        assert text_of(chunks)
        assert (finish, usage.completion_tokens) == ("length", 12) or (
            finish == "stop" and usage.completion_tokens < 12
        )
        assert usage.prompt_tokens > 5
    await model.close()


async def test_a_real_server_that_lacks_the_model_says_so(door: Door, served: tuple[str, str]) -> None:
    address, name = served
    model = door.open(address, name=f"{name}-2")
    with pytest.raises(ModelFailed) as caught:
        await collect(model, a_request(max_tokens=5))
    await model.close()
    assert caught.value.code in {"model_not_found", "model_rejected"}
