"""The four personas over the example documents, in a real process, with nothing beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.gateway_process import GatewayProcess, copy_clone, serving

from agent_gateway.persona import STAGES

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

RUNBOOK = "What is the runbook for certificate renewal?"
REFUND = "What is your refund policy?"
PERSONAS = ("bruno", "auditor", "jamie", "mary-kay")
PIRATE = """
import agent_gateway as ag


@ag.hookimpl
def register_personas():
    return [ag.Persona(id="pirate", port=30199, title="Pirate", prompt="Arr.")]
"""
BROKEN = "raise RuntimeError('boom')"
_CLAIM = re.compile(r"(.+?)[ \n]\[(\d+)\](?:[ \n]+|$)", re.DOTALL)


@pytest.fixture(scope="module")
def running(prepared_clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """One gateway for all tests here, with two plugins dropped in: a good one and a broken one."""
    folder = copy_clone(prepared_clone, tmp_path_factory.mktemp("answers"))
    (folder / "plugins" / "pirate.py").write_text(PIRATE)
    (folder / "plugins" / "broken.py").write_text(BROKEN)
    with serving(folder) as gateway:
        yield gateway


def post(gateway: GatewayProcess, persona: str, path: str, **body: Any) -> httpx.Response:
    return httpx.post(f"{gateway.addresses[persona]}{path}", json=body, timeout=30, trust_env=False)


def get(gateway: GatewayProcess, where: str, path: str) -> Any:
    return httpx.get(f"{gateway.addresses[where]}{path}", timeout=30, trust_env=False).json()


def ask(gateway: GatewayProcess, persona: str, message: str, conversation: str = "") -> dict[str, Any]:
    given = {"conversation_id": conversation} if conversation else {}
    response = post(gateway, persona, "/v1/chat", message=message, **given)
    assert response.status_code == 200, response.text
    return dict(response.json())


@pytest.mark.parametrize("persona", ["bruno", "auditor", "jamie"])
def test_engineers_are_answered_from_the_runbook(running: GatewayProcess, persona: str) -> None:
    answer = ask(running, persona, RUNBOOK)
    assert "runbooks/certificate-renewal.md" in {each["source"] for each in answer["citations"]}
    assert answer["status"] == "completed"
    assert answer["intent"]["category"] == "query"
    assert answer["intent"]["confidence"] > 0.9
    assert (answer["route"]["tier"], answer["model"]) == ("extractive", "extractive")
    assert sum(answer["route"]["parts"].values()) == pytest.approx(answer["route"]["score"])
    assert answer["context_used"] >= len(answer["citations"]) >= 1


def test_customers_are_answered_from_their_pages_and_no_others(running: GatewayProcess) -> None:
    refused = ask(running, "mary-kay", RUNBOOK)
    assert refused["response"] == "This is not in my knowledge base: I found no answer in customer-docs."
    assert refused["citations"] == []
    answer = ask(running, "mary-kay", REFUND)
    assert {each["source"] for each in answer["citations"]} >= {"refund-policy.md"}
    for collection in ("homelab-docs", "ml-workflows"):
        response = post(running, "mary-kay", "/v1/search", query=RUNBOOK, collection=collection)
        assert (response.status_code, response.json()["code"]) == (404, "collection_not_found")


QUESTIONS = (
    ("bruno", "How do I get access to the clusters?"),
    ("bruno", "Which models does Ollama serve on forge?"),
    ("auditor", RUNBOOK),
    ("auditor", "What do I do when a node is not ready?"),
    ("auditor", "How do I roll back a deployment?"),
    ("auditor", "PostgreSQL primary is down"),
    ("jamie", "How is the sentiment classifier trained?"),
    ("jamie", "Which metrics must a model reach before it is served?"),
    ("mary-kay", REFUND),
    ("mary-kay", "how long does shippng take"),
)


@pytest.mark.parametrize(("persona", "question"), QUESTIONS)
def test_every_sentence_stands_verbatim_in_the_passage_it_cites(
    running: GatewayProcess, persona: str, question: str
) -> None:
    answer = ask(running, persona, question)
    assert answer["citations"], answer["response"]
    passages: dict[tuple[str, int], str] = {}
    for collection in get(running, persona, "/v1/persona")["collections"]:
        found = post(running, persona, "/v1/search", query=question, collection=collection, limit=100)
        if found.status_code == 200:
            passages |= {(each["source"], each["chunk"]): each["text"] for each in found.json()["passages"]}
    cited = {each["n"]: passages[each["source"], each["chunk"]] for each in answer["citations"]}
    # What cannot be done is said in a paragraph of its own, and claims nothing.
    body = re.sub(r"^I cannot [^\n]+\n\n", "", answer["response"])
    claims = _CLAIM.findall(body)
    assert "".join(f"{text}[{n}]" for text, n in claims).replace(" ", "").replace("\n", "") == (
        body.replace(" ", "").replace("\n", "")
    )
    assert 1 <= len(claims) <= 5
    for text, number in claims:
        assert text in cited[int(number)]


def test_a_second_question_is_understood_in_context_and_thanks_are_thanks(running: GatewayProcess) -> None:
    first = ask(running, "mary-kay", REFUND)
    second = ask(running, "mary-kay", "and how long does that take?", first["conversation_id"])
    assert "refund-policy.md" in {each["source"] for each in second["citations"]}
    third = ask(running, "mary-kay", "thanks!", first["conversation_id"])
    assert (third["response"], third["citations"]) == ("You are welcome.", [])
    other = ask(running, "mary-kay", "What is the capital of France?", first["conversation_id"])
    assert other["citations"] == []
    turns = get(running, "mary-kay", f"/v1/conversations/{first['conversation_id']}")["turns"]
    assert len(turns) == 4


@pytest.mark.parametrize("persona", PERSONAS)
def test_a_persona_says_who_it_is(running: GatewayProcess, persona: str) -> None:
    answer = ask(running, persona, "what can you do?")
    assert answer["intent"]["category"] == "chat"
    assert answer["response"].startswith(f"I am {persona}, ")
    assert answer["citations"] == []


def test_a_turn_streams_its_stages_in_order(running: GatewayProcess) -> None:
    response = post(running, "auditor", "/v1/chat", message=RUNBOOK, stream=True)
    blocks = [dict(line.split(": ", 1) for line in block.splitlines()) for block in response.text.strip().split("\n\n")]
    assert [int(block["id"]) for block in blocks] == list(range(1, len(blocks) + 1))
    names = [block["event"] for block in blocks]
    assert (names[0], names[-1], names.count("done")) == ("run_started", "done", 1)
    started = [block["data"] for block in blocks if block["event"] == "stage_started"]
    assert started == [f'{{"stage":"{stage}"}}' for stage in STAGES]
    assert {"token", "citation"} <= set(names)


def test_a_dropped_in_plugin_is_served_and_a_broken_one_beside_it_harms_nobody(running: GatewayProcess) -> None:
    assert ask(running, "pirate", "hello")["response"].startswith("Hello! I am pirate, pirate.")
    ready = get(running, "gateway", "/readyz")
    assert ready["status"] == "ready"
    assert ready["parts"]["plugin broken"].startswith("note: disabled: ")
    assert "boom" in ready["parts"]["plugin broken"]
    assert {part: state for part, state in ready["parts"].items() if not state.startswith("note")} == dict.fromkeys(
        ("runs", "encoder", "knowledge", "classifier", "personas"), "ready"
    )


def test_a_running_gateway_needs_neither_torch_nor_its_encoder_process(running: GatewayProcess) -> None:
    maps = Path(f"/proc/{running.pid}/maps")
    if not maps.exists():
        pytest.skip("this system does not tell which libraries a process has loaded")
    loaded = maps.read_text()
    assert "onnxruntime" in loaded
    assert "libtorch" not in loaded
    assert "sklearn" not in loaded
