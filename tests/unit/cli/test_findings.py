from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Cli
from tests.unit.plugins.folder import drop, persona

from agent_gateway.cli import findings
from agent_gateway.cli.findings import check_collections, check_lock, check_plugins, check_ports, check_space
from agent_gateway.config import read_configuration
from agent_gateway.errors import GatewayError
from agent_gateway.interfaces import CollectionInfo
from agent_gateway.knowledge.encoders.export import Export
from agent_gateway.knowledge.encoders.wire import ExportReport
from agent_gateway.knowledge.lock import LockHolder
from agent_gateway.plugins import PluginInfo
from agent_gateway.registry import build_registry
from agent_gateway.server import PortRequest, bind

Usage = namedtuple("Usage", "total used free")
DOCS = CollectionInfo(name="docs", documents=2, chunks=7, encoder="x", precision="fp32", updated_at="")

pytestmark = pytest.mark.usefixtures("own_logs")


def judge(*, accepted: bool) -> ExportReport:
    """The report of an export."""
    return ExportReport(
        accepted=accepted, digest="d", version=1, minimum_cosine=0.995, mean_cosine=0.999, overlap=0.98, texts=200,
        questions=100, at="2026-01-01T00:00:00Z", reason="" if accepted else "a cosine of 0.9 is below 0.99",
    )  # fmt: skip


def test_every_absence_says_what_it_costs() -> None:
    found = [
        findings.judge_export(None),
        findings.judge_export(Export(judge(accepted=False), None)),
        check_collections((), ""),
        check_collections(None, "the data directory is in use"),
        check_lock(LockHolder(pid=7)),
    ]
    assert {each.state for each in found} == {"absent"}
    assert all(each.cost for each in found)


def test_what_is_there_costs_nothing(tmp_path: Path) -> None:
    found = [
        findings.judge_export(Export(judge(accepted=True), tmp_path)),
        check_collections((DOCS,), ""),
        check_lock(None),
        check_lock(LockHolder(7, "http://127.0.0.1:1", "t", "http://127.0.0.1:8080")),
        findings.check_weights(),
        check_space(tmp_path),
    ]
    assert [(each.state, each.cost) for each in found] == [("ok", "")] * len(found)
    assert "docs (2 documents, 7 chunks)" in found[1].found


def test_altered_weights_are_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def altered(cache: Path) -> object:
        raise GatewayError("not the expected ones", code="encoder_altered", hint="reinstall")

    monkeypatch.setattr(findings, "find_weights", altered)
    assert findings.check_weights().state == "broken"


def test_a_full_disk_is_broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 40, 1 << 40, 1 << 20))
    assert check_space(tmp_path / "not" / "yet").state == "broken"


def test_a_disabled_plugin_is_told_with_its_error() -> None:
    good = PluginInfo(name="good", version="1", source="x")
    bad = PluginInfo(name="bad", version="1", source="x", errors=("it raised",))
    first, second = check_plugins((good, bad))
    assert (first.state, first.found) == ("ok", "1 enabled: good")
    assert (second.name, second.state, second.found) == ("plugin bad", "absent", "disabled: it raised")


@pytest.mark.parametrize(("listed", "state"), [(True, "broken"), (False, "absent")])
def test_a_port_that_is_taken_is_told_and_the_others_are_free(tmp_path: Path, listed: bool, state: str) -> None:
    bound = bind("127.0.0.1", [PortRequest(name="somebody", port=0), PortRequest(name="nobody", port=0)])
    taken, free = (listener.port for listener in bound.listeners[:2])
    bound.listeners[1].socket.close()
    drop(tmp_path, one=persona(f"id='one', port={taken}, title='O', prompt='x'"))
    (tmp_path / "agent-gateway.yaml").write_text(f"server: {{port: {free}}}\n")
    (tmp_path / "personas.yaml").write_text("personas: {one: {}}\n" if listed else "")
    configuration = read_configuration(folder=tmp_path, environ={})
    try:
        told, ok = check_ports(configuration, build_registry(configuration))
    finally:
        bound.close()
    assert (told.state, ok.state) == (state, "ok")
    assert str(taken) in told.found
    assert str(free) in ok.found


def test_doctor_looks_at_everything_and_makes_nothing(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    (home / "agent-gateway.yaml").write_text("server: {port: 0}\n")
    done = cli("doctor", "--json")
    assert done.json["ok"] == (done.code == 0)
    assert {each["name"] for each in done.json["findings"]} == {
        "configuration", "plugins", "ports", "data directory", "disk space", "encoder weights", "query encoder",
        "collections", "models", "authentication",
    }  # fmt: skip
    assert not (home / "data").exists()


def test_doctor_fails_when_no_gateway_could_start(cli: Cli, home: Path) -> None:
    (home / "agent-gateway.yaml").write_text("nonsense: 1\n")
    done = cli("doctor")
    assert done.code == 1
    assert "broken  configuration" in done.out
    assert "no gateway starts" in done.out
