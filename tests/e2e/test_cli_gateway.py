"""The commands as a person types them: without a gateway first, then beside a running one. One data directory."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent_gateway.knowledge.lock import DataLock

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "opening-hours.md": "# Opening hours\n\nThe reading room opens at nine on weekdays. On Saturdays it opens late.\n",
    "loans.md": "# Loans\n\nA book may be borrowed for 21 days. A loan can be extended once by 14 days.\n",
    "fines.md": "# Fines\n\nA late book costs 20 cents a day. Children pay no fines.\n",
}
QUESTION = "How long may a book be borrowed?"
ANSWER = "A book may be borrowed for 21 days."


@dataclass(frozen=True)
class Home:
    """A working folder with two personas, librarian and echo, on ports nobody else has."""

    folder: Path
    ports: Sequence[int]

    def start(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Start a command."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AGENT_GATEWAY")}
        return subprocess.Popen(
            [sys.executable, "-m", "agent_gateway", *arguments], cwd=self.folder, env=kept, stdin=stdin,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *arguments: str, code: int = 0, typed: str = "") -> tuple[str, str]:
        """Run a command that is to end with an exit code, and return what it wrote."""
        process = self.start(*arguments, stdin=subprocess.PIPE)
        out, err = process.communicate(typed, timeout=240)
        assert process.returncode == code, f"{out}\n{err}"
        return out, err

    def json(self, *arguments: str) -> Any:
        """Run a command and return its document."""
        return json.loads(self.run(*arguments, "--json")[0])

    def records(self, *arguments: str, typed: str = "") -> list[Any]:
        """Run a command and return its lines of JSON."""
        return [json.loads(line) for line in self.run(*arguments, "--json", typed=typed)[0].splitlines()]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("home")
    (folder / "handbook").mkdir()
    for name, text in PAGES.items():
        (folder / "handbook" / name).write_text(text)
    shutil.copytree(ROOT / "plugins" / "echo", folder / "plugins" / "echo")
    ports = free_ports(3)
    personas = {
        "librarian": {
            "port": ports[1], "title": "Librarian", "prompt": "Answer.", "documents": {"handbook": "handbook-docs"}
        },
        "echo": {"port": ports[2]},
    }  # fmt: skip
    (folder / "personas.yaml").write_text(json.dumps({"personas": personas}))
    (folder / "agent-gateway.yaml").write_text(json.dumps({"server": {"port": ports[0], "grace_seconds": 5}}))
    return Home(folder, ports)


@pytest.fixture(scope="module")
def gateway(home: Home) -> Iterator[subprocess.Popen[str]]:
    """A running gateway, which drains at the end."""
    process = home.start("serve", "--json")
    yield process
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0


def free_ports(count: int) -> list[int]:
    """Find ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def folder_of(home: Home, name: str, **files: bytes) -> Path:
    """Make a folder of files, their dots written as underscores."""
    folder = home.folder / name
    folder.mkdir(exist_ok=True)
    for file, content in files.items():
        (folder / file.replace("_", ".")).write_bytes(content)
    return folder


def test_ask_on_an_empty_data_directory_ingests_first_and_answers(home: Home) -> None:
    out, err = home.run("ask", "librarian", QUESTION)
    assert ANSWER in out
    assert "[1] loans.md: Loans" in out
    assert err.startswith("Starting the gateway")


def test_ask_as_json_is_the_stream_of_events(home: Home) -> None:
    events = home.records("ask", "librarian", QUESTION)
    assert [event["type"] for event in events][:2] == ["run_started", "stage_started"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    done = events[-1]
    assert done["type"] == "done"
    assert ANSWER in done["data"]["response"]


def test_a_conversation_goes_on_in_another_process(home: Home) -> None:
    first = home.records("ask", "echo", "one")[-1]["data"]
    second = home.records("ask", "echo", "-", "--conversation", first["conversation_id"], typed="two\n")[-1]["data"]
    assert second["conversation_id"] == first["conversation_id"]
    assert second["response"].strip() == "two"


def test_a_chat_takes_one_turn_for_each_line(home: Home) -> None:
    out, _ = home.run("chat", "echo", typed="hello\n\nthere\n/quit\nnever\n")
    assert out == "hello\nthere\n"


def test_ask_for_somebody_who_is_not_there_fails(home: Home) -> None:
    _, err = home.run("ask", "nobody", "hello", code=1)
    assert "Error: there is no persona 'nobody'\nHint: known are: echo, librarian" in err


def test_an_ingest_counts_and_skips_what_is_bad(home: Home) -> None:
    folder = folder_of(home, "notes", good_md=b"# Good\n\nThe coffee machine is cleaned on Friday.\n", bad_md=b"\xff\0")
    out, err = home.run("ingest", "notes", "--collection", "notes")
    assert out.startswith("notes: 1 added, 1 skipped; 1 chunks")
    assert err == "Warning: skipped bad.md: binary, not text\n"
    (folder / "bad.md").unlink()
    last = home.records("ingest", "notes", "--collection", "notes")[-1]
    assert (last["unchanged"], last["finished"], last.get("added", 0)) == (1, True, 0)


def test_an_ingest_of_nothing_that_can_be_read_fails(home: Home) -> None:
    folder_of(home, "junk", junk_md=b"\xff\0")
    _, err = home.run("ingest", "junk", "--collection", "junk", code=1)
    assert "skipped junk.md" in err
    assert "Error: there is no document that could be read" in err
    assert "no file or folder" in home.run("ingest", "missing", "--collection", "junk", code=1)[1]


def test_search_finds_without_a_gateway(home: Home) -> None:
    reply = home.json("search", "when is the coffee machine cleaned", "--collection", "notes")
    assert reply["passages"][0]["source"] == "good.md"
    assert "coffee" in home.run("search", "coffee machine", "-c", "notes", "--limit", "1")[0]
    _, err = home.run("search", "coffee", "--collection", "nothing", code=1)
    assert "Hint: there are: handbook-docs, notes" in err


def test_wrong_usage_is_two(home: Home) -> None:
    for arguments in (["search", "x"], ["search", "x", "-c", "y", "--limit", "0"], ["ask", "echo"], ["nonsense"]):
        assert home.run(*arguments, code=2)[1]


@pytest.mark.parametrize("command", ["collections", "ask echo x", "ingest notes -c notes", "serve"])
def test_a_data_directory_that_somebody_writes_is_busy(home: Home, command: str) -> None:
    with DataLock(home.folder / "data"):
        _, err = home.run(*command.split(), code=3)
    assert f"is in use by process {os.getpid()}" in err


def test_a_gateway_that_does_not_answer_is_unreachable(home: Home) -> None:
    lock = DataLock(home.folder / "data")
    lock.acquire(f"http://127.0.0.1:{free_ports(1)[0]}", "token")
    try:
        _, err = home.run("collections", "--json", code=3)
    finally:
        lock.release()
    assert json.loads(err)["error"]["code"] == "gateway_unreachable"


def test_serve_says_where_everybody_listens(home: Home, gateway: subprocess.Popen[str]) -> None:
    assert gateway.stdout is not None
    text = ""
    while not text.endswith("}\n}\n"):
        text += gateway.stdout.readline()
    names = ("gateway", "librarian", "echo")
    expected = {name: f"http://127.0.0.1:{port}" for name, port in zip(names, home.ports, strict=True)}
    assert json.loads(text) == {"addresses": expected}


@pytest.mark.usefixtures("gateway")
def test_beside_a_gateway_the_commands_wait_for_it(home: Home) -> None:
    personas = {each["id"]: each["status"] for each in home.json("personas")["personas"]}
    assert personas == {"librarian": "ready", "echo": "ready"}
    out, _ = home.run("ask", "librarian", QUESTION)
    assert ANSWER in out


@pytest.mark.usefixtures("gateway")
def test_an_ingest_is_done_by_the_gateway_and_searched_at_once(home: Home) -> None:
    folder_of(home, "news", fresh_md=b"# Fresh\n\nThe new projector hangs in room twelve.\n")
    steps = home.records("ingest", "news", "--collection", "news")
    assert (steps[-1]["finished"], steps[-1]["added"]) == (True, 1)
    reply = home.json("search", "where does the projector hang", "--collection", "news")
    assert reply["passages"][0]["source"] == "fresh.md"
    names = [each["name"] for each in home.json("collections")["collections"]]
    assert names == ["handbook-docs", "news", "notes"]
    assert home.json("collections", "drop", "news") == {"dropped": "news"}
    _, err = home.run("collections", "drop", "news", code=1)
    assert "no collection 'news'" in err


@pytest.mark.usefixtures("gateway")
def test_a_second_gateway_is_refused(home: Home) -> None:
    _, err = home.run("serve", "--port-offset", "1", code=3)
    assert "is in use by process" in err


@pytest.mark.usefixtures("gateway")
def test_doctor_sees_the_gateway(home: Home) -> None:
    found = {each["name"]: each for each in home.json("doctor")["findings"]}
    assert f"http://127.0.0.1:{home.ports[0]}" in found["data directory"]["found"]
    assert (found["query encoder"]["state"], found["collections"]["state"]) == ("ok", "ok")
    assert "ports" not in found


@pytest.mark.usefixtures("gateway")
def test_an_interrupted_chat_ends_with_130(home: Home) -> None:
    process = home.start("chat", "echo", stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("hello\n")
    process.stdin.flush()
    assert process.stdout.readline() == "hello\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, "Traceback" in err) == (130, False)
