from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gateway.knowledge import lexicon
from agent_gateway.knowledge.lexicon import LONGEST_WORD, STOP_WORDS, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Certificates are renewed", ["certif", "renew"]),
        ("HelmRelease", ["helmrelease", "helm", "releas"]),
        ("group_wait", ["group_wait", "group", "wait"]),
        ("spec.timeout", ["spec.timeout", "spec", "timeout"]),
        ("HTTPRoute v1beta2", ["httproute", "http", "rout", "v1beta2", "v", "1", "beta", "2"]),
        ("studio-2", ["studio-2", "studio", "2"]),
        ("kube-system/coredns:9153", ["kube-system/coredns:9153", "kube", "system", "coredn", "9153"]),
        ("What is the IT that you do?", []),
        ("", []),
        ("... --- !!!", []),
        ("\ud800\0", []),
        ("Ärger für Привет 日本", ["ärger", "für", "привет", "日本"]),
        ("node node Node", ["node", "node", "node"]),
    ],
)
def test_words_become_index_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("renewing certificates", "Certificate renewal: it renews itself"),
        ("helm releases", "HelmRelease"),
        ("timeouts", "spec.timeout"),
        ("NODES", "node"),
        ("wait for a group", "group_wait"),
    ],
)
def test_a_question_meets_the_words_of_the_document(asked: str, written: str) -> None:
    assert set(terms(asked)) & set(terms(written))


@given(st.text(max_size=200), st.text(max_size=200))
def test_texts_apart_have_the_terms_of_each(first: str, second: str) -> None:
    assert terms(f"{first}\n{second}") == terms(first) + terms(second)


@given(st.text(alphabet=st.characters(), max_size=300))
def test_terms_are_small_words_and_never_stop_words(text: str) -> None:
    for term in terms(text):
        # One character may become two when it is made small.
        assert 0 < len(term) <= 2 * LONGEST_WORD
        assert term == term.lower()
        assert term not in STOP_WORDS


@pytest.mark.parametrize("word", sorted(STOP_WORDS))
def test_stop_words_are_no_terms(word: str) -> None:
    assert terms(word) == []


@pytest.mark.parametrize("unit", ["a", "x", "ä", "日", "aB", "a.", "/", "x-", "9", " ", "node "])
def test_a_megabyte_takes_little_time_and_memory(unit: str) -> None:
    lexicon._expand.cache_clear()
    text = unit * (2**20 // len(unit))
    began = time.process_time()
    found = terms(text)
    assert time.process_time() - began < 2
    assert max(map(len, found), default=0) <= LONGEST_WORD
    assert lexicon._expand.cache_info().currsize <= 1
