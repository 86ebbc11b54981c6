from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from agent_gateway.server import Shutdown


def run(code: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
    prelude = "import os, signal, time\nfrom agent_gateway.server import Shutdown\n"
    return subprocess.run(
        [sys.executable, "-c", prelude + code], capture_output=True, text=True, timeout=timeout, check=False
    )


async def test_a_signal_begins_the_end_on_the_loop() -> None:
    shutdown, begun = Shutdown(grace=60), asyncio.Event()
    shutdown.install()
    try:
        shutdown.attach(asyncio.get_running_loop(), begun.set)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(begun.wait(), 5)
        assert shutdown.requested
    finally:
        shutdown.uninstall()


async def test_a_signal_that_came_before_the_loop_is_not_lost() -> None:
    shutdown, begun = Shutdown(grace=60), asyncio.Event()
    shutdown.install()
    try:
        os.kill(os.getpid(), signal.SIGINT)
        shutdown.attach(asyncio.get_running_loop(), begun.set)
        await asyncio.wait_for(begun.wait(), 5)
    finally:
        shutdown.uninstall()


def test_the_signals_are_given_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    shutdown = Shutdown(grace=60)
    shutdown.install()
    assert signal.getsignal(signal.SIGTERM) != before[0]
    shutdown.uninstall()
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
def test_code_that_never_yields_is_ended_after_the_grace_period(number: str) -> None:
    started = time.monotonic()
    done = run(f"s = Shutdown(1.0); s.install(); os.kill(os.getpid(), signal.{number})\nwhile True: pass")
    assert done.returncode == 0
    assert "grace period is over" in done.stderr
    assert time.monotonic() - started < 10


def test_a_second_signal_does_not_wait() -> None:
    code = "s = Shutdown(600); s.install()\nfor _ in range(2): os.kill(os.getpid(), signal.SIGTERM)\nwhile True: pass"
    assert run(code).returncode == 0


def test_a_process_that_ends_by_itself_keeps_its_exit_code() -> None:
    assert run("s = Shutdown(600); s.install(); raise SystemExit(3)").returncode == 3
