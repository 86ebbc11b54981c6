"""Who talks to a model, and what that costs to import."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agent_gateway.completion import ChatModel, ModelProvider, ModelSpec
from agent_gateway.models.direct_chat_model import DirectChatModel
from agent_gateway.models.opening import open_chat_model


def test_a_plugin_goes_before_both_adapters() -> None:
    mine = DirectChatModel(ModelSpec(model="mine/m", address="http://127.0.0.1:1"))

    def connect(spec: ModelSpec) -> ChatModel:
        assert spec.name == "m"
        return mine

    providers = {"mine": ModelProvider(name="mine", connect=connect)}
    assert open_chat_model(ModelSpec(model="mine/m", direct=True), providers) is mine
    other = ModelSpec(model="hosted_vllm/m", address="http://127.0.0.1:1", direct=True)
    assert isinstance(open_chat_model(other, providers), DirectChatModel)


@pytest.mark.parametrize(("direct", "expected"), [("True", "False"), ("False", "True")])
def test_litellm_is_imported_for_models_that_need_it_alone(direct: str, expected: str) -> None:
    code = f"""
import sys
from agent_gateway.completion import ModelSpec
from agent_gateway.models.opening import open_chat_model
assert "litellm" not in sys.modules
open_chat_model(ModelSpec(model="hosted_vllm/m", address="http://127.0.0.1:1/v1", direct={direct}), {{}})
print("litellm" in sys.modules, "mcp" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [expected, "False"]
    assert done.stderr == ""


def test_litellm_reads_no_dotenv_and_asks_nobody_when_it_is_imported() -> None:
    code = """
import socket, os, sys, pathlib, tempfile
os.chdir(tempfile.mkdtemp()); pathlib.Path(".env").write_text("READ_FROM_DOTENV=1\\n")
asked = []
sys.addaudithook(lambda event, args: asked.append((event, args[:2])) if event in
    {"socket.connect", "socket.getaddrinfo", "socket.sendto"} else None)
import agent_gateway.models.litellm_chat_model
print(asked, os.environ.get("READ_FROM_DOTENV"))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] None"
