"""Lines that mean the same are one pattern, whatever differs in them."""

from __future__ import annotations

import logging

import pytest
from plugins.observability.agent_gateway_observability.log_patterns import Pattern, find_patterns, show_patterns

START = 1_772_366_400.0  # 2026-03-01T12:00:00Z


def mine(*texts: str) -> list[Pattern]:
    return find_patterns([(START + second, text) for second, text in enumerate(texts)])


@pytest.mark.parametrize(
    ("one", "other", "template"),
    [
        ("from 10.0.0.7:5432 to 10.1.2.0/24", "from 10.0.0.8:80 to 192.168.0.0/16", "from <IP> to <IP>"),
        ("from fe80::1ff:fe23:4567:890a ok", "from 2001:db8::1 ok", "from <IP> ok"),
        ("listening on [::]:8080", "listening on [::1]:9090", "listening on [<IP>]:<NUM>"),
        (
            "request 6f1e2d3c-1b2a-4c5d-8e9f-0a1b2c3d4e5f",
            "request 00000000-0000-4000-8000-000000000000",
            "request <UUID>",
        ),
        ("at 0xDEADBEEF commit 1a2b3c4", "at 0x00 commit deadbee0", "at <HEX> commit <HEX>"),
        ("took 1.5ms of 30s", "took 2m10s of 1h", "took <DURATION> of <DURATION>"),
        ("got -5 of 1234 (12.5%)", "got +7 of 0 (99.0%)", "got <NUM> of <NUM> (<NUM>%)"),
        ("2026-03-01T12:00:00.123Z up", "2026-03-01 13:00:01,5 up", "<TIME> up"),
        ("[01/Mar/2026:12:00:39 +0000] up", "[31/Mar/2025:00:00:00 -0130] up", "[<NUM>/Mar/<NUM>:<TIME> <NUM>] up"),
        ("link 02:42:ac:11:00:02 up", "link 0a:00:27:00:00:00 up", "link <MAC> up"),
        ("user alice logged in", "user bob logged in", "user <*> logged in"),
    ],
)
def test_what_differs_is_masked(one: str, other: str, template: str) -> None:
    (pattern,) = mine(one, other)
    assert (pattern.template, pattern.lines) == (template, 2)


@pytest.mark.parametrize("text", ["std::vector is full", "HTTP/2 v1beta1 sha256 node3", "decade added facade"])
def test_words_are_left_as_they_are(text: str) -> None:
    assert mine(text)[0].template == text.replace("HTTP/2", "HTTP/<NUM>")


def test_patterns_tell_how_often_since_when_and_one_example() -> None:
    seldom, often = "disk sda1 is full", "GET /items/{} took {}ms"
    found = mine(often.format(1, 5), seldom, often.format(2, 7), often.format(3, 9))
    assert found == [
        Pattern("GET /items/<NUM> took <DURATION>", 3, START, START + 3, "GET /items/3 took 9ms"),
        Pattern(seldom, 1, START + 1, START + 1, seldom),
    ]
    assert show_patterns(found, 5) == [
        "3x GET /items/<NUM> took <DURATION> (03-01 12:00:00 to 03-01 12:00:03)",
        "   as in: GET /items/3 took 9ms",
        f"1x {seldom} (03-01 12:00:01)",
    ]


def test_lines_come_in_any_order() -> None:
    (pattern,) = find_patterns([(START + 9, "job 3 done"), (START, "job 1 done"), (START + 5, "job 2 done")])
    assert (pattern.first, pattern.last, pattern.example) == (START, START + 9, "job 3 done")


def test_json_is_grouped_by_what_it_says() -> None:
    line = '{{"ts": {0}, "level": "error", "msg": "card {0} declined", "user": "{1}"}}'
    (pattern,) = mine(line.format(1, "ann"), line.format(2, "bob"))
    assert pattern.template == "error card <NUM> declined"
    assert pattern.example == line.format(2, "bob")
    nothing_said, broken, nested = mine('{"a": "x"}', '{"msg": ', '{"msg":' + '{"a":' * 3000)
    assert {nothing_said.lines, broken.lines, nested.lines} == {1}


def test_patterns_beyond_those_shown_are_counted() -> None:
    words = ["one", "two two", "three three three", "four four four four"]
    shown = show_patterns(mine("one", *words), 2)
    assert shown[0].startswith("2x one")
    assert len(shown) == 3
    assert shown[-1] == "2 more patterns of 2 lines are cut off."


def test_long_and_odd_lines_stay_one_short_line_each() -> None:
    shown = show_patterns(mine("x" * 5000, "", " \n\t ", "a\nb\x1b[0m\u2028c"), 9)
    assert all(len(line) < 300 and line.isprintable() for line in shown)
    assert any("(an empty line)" in line for line in shown)


def test_the_library_says_nothing(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.DEBUG):
        mine("one", "two")
    assert caplog.records == []
    assert capsys.readouterr() == ("", "")
