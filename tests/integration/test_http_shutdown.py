"""The whole server as a process: how soon it answers, and that it ends in time whatever a turn is doing."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GRACE = 2.0

SERVER = """
import asyncio, sys, time
from agent_gateway.server import PortRequest, ServeOptions, bind, run
from tests.memory_gateway import MemoryGateway
from tests.memory_runs import MemoryRuns

async def speak(run, emit):
    while run.message == "spin":
        pass
    while run.message == "wait":
        await asyncio.sleep(0.1)
    return run.message

gateway = MemoryGateway(MemoryRuns(speak))

async def start():
    if "slow" in sys.argv:
        await asyncio.to_thread(time.sleep, 3600)
    if "broken" in sys.argv:
        raise ValueError("cannot start")
    return gateway.edge()

bound = bind("127.0.0.1", [PortRequest(name="bruno", port=0)])
print(bound.ports["bruno"], flush=True)
run(bound.listeners, start, gateway.runs.drain, ServeOptions(grace=GRACE))
"""


class Process:
    """A running server and its port."""

    def __init__(self, running: subprocess.Popen[str]) -> None:
        self.running = running
        assert running.stdout is not None
        self.url = f"http://127.0.0.1:{int(running.stdout.readline())}"

    def chat(self, message: str) -> int:
        """Send a message; the status, or 0 when the connection broke."""
        body = f'{{"message":"{message}"}}'.encode()
        request = urllib.request.Request(f"{self.url}/v1/chat", body, {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return int(response.status)
        except urllib.error.HTTPError as exc:
            exc.close()
            return exc.code
        except OSError:
            return 0

    def wait_until_serving(self) -> None:
        """Return once messages are answered."""
        deadline = time.monotonic() + 20
        while self.chat("hello") != 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Signal it; the exit code, and how many seconds it took."""
        started = time.monotonic()
        self.running.send_signal(number)
        return self.running.wait(timeout=GRACE + 10), time.monotonic() - started


@contextmanager
def serving(*arguments: str) -> Iterator[Process]:
    code = SERVER.replace("GRACE", str(GRACE))
    running = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield Process(running)
    finally:
        running.kill()
        running.communicate()


def test_it_answers_before_it_has_started_and_can_be_stopped_then() -> None:
    with serving("slow") as process:
        with urllib.request.urlopen(f"{process.url}/livez", timeout=5) as response:
            assert response.status == 200
        assert process.chat("hello") == 503
        code, seconds = process.stop()
    assert code == 0
    assert seconds < GRACE + 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_ends_at_once(number: signal.Signals) -> None:
    with serving() as process:
        process.wait_until_serving()
        code, seconds = process.stop(number)
    assert code == 0
    assert seconds < GRACE


def test_a_turn_that_goes_on_is_cut_within_the_grace_period_and_its_caller_is_told() -> None:
    with serving() as process:
        process.wait_until_serving()
        statuses: list[int] = []
        asking = threading.Thread(target=lambda: statuses.append(process.chat("wait")))
        asking.start()
        time.sleep(0.3)
        code, seconds = process.stop()
        asking.join(timeout=10)
    assert (code, statuses) == (0, [503])
    assert seconds < GRACE + 1


def test_a_turn_that_never_yields_does_not_keep_the_process() -> None:
    with serving() as process:
        process.wait_until_serving()
        asking = threading.Thread(target=process.chat, args=("spin",))
        asking.start()
        time.sleep(0.3)
        code, seconds = process.stop()
        asking.join(timeout=10)
    assert code == 0
    assert seconds < GRACE + 1


def test_a_second_signal_ends_it_at_once() -> None:
    with serving() as process:
        process.wait_until_serving()
        asking = threading.Thread(target=process.chat, args=("spin",))
        asking.start()
        time.sleep(0.3)
        process.running.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        code, seconds = process.stop()
        asking.join(timeout=10)
    assert code == 0
    assert seconds < 1


def test_a_start_that_fails_ends_it_with_the_reason() -> None:
    with serving("broken") as process:
        code = process.running.wait(timeout=10)
        assert process.running.stderr is not None
        assert "cannot start" in process.running.stderr.read()
    assert code == 1
