"""The command `python -m agent_gateway.testing.model_server`: one scripted model server in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence

from agent_gateway.testing.model_replies import Reply
from agent_gateway.testing.scripted_server import ScriptedModelServer

__all__ = ["ScriptedModelServer", "main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGINT or SIGTERM; the first line of the output is the address."""
    parser = argparse.ArgumentParser(prog="python -m agent_gateway.testing.model_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="where to listen on loopback; 0 is any free port")
    parser.add_argument("--models", default="llama3:8b", help="names, with commas between them")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before the headers of an answer")
    parser.add_argument("--pause", type=float, default=0.05, help="seconds between two tokens")
    parser.add_argument("--tokens", type=int, default=200, help="how many tokens an answer has")
    parser.add_argument("--key", help="what a client must show as its bearer token")
    asked = parser.parse_args(arguments)
    reply = Reply(["word "] * asked.tokens, delay=asked.delay, pause=asked.pause)
    asyncio.run(serve(ScriptedModelServer(asked.models.split(","), [reply], key=asked.key, port=asked.port)))


async def serve(server: ScriptedModelServer) -> None:
    """Run a server until the process is told to end."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        await ended.wait()


if __name__ == "__main__":
    main()
