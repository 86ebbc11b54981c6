"""A gateway without models pays nothing for them."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import asyncio
import sys

from agent_gateway.persona import Persona
from agent_gateway.testing import StaticKnowledge, gateway_for, passage


async def main() -> None:
    nora = Persona(id="nora", port=30191, title="Nora", prompt="Hello.", collections=("docs",))
    keys = StaticKnowledge({"docs": [passage("The keys are in the drawer.")]})
    async with gateway_for(nora, knowledge=keys) as gateway:
        answer = await gateway.ask("nora", "Where are the keys?")
        assert answer.model == "extractive", answer
    print(*sorted({"litellm", "openai", "tiktoken"} & set(sys.modules)))


asyncio.run(main())
"""


def test_what_only_models_need_is_not_even_imported() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == ""
