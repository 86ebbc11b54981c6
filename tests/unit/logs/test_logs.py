from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from agent_gateway.logs import configure_logs


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root, config = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**config)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_file_gets_one_json_object_a_line_with_everything_that_is_bound() -> None:
    stream = io.StringIO()
    configure_logs(stream=stream)
    with bound_contextvars(request_id="r1", run_id="run_1"):
        structlog.get_logger().info("answered", status=200, path="/\n/")
    (line,) = lines(stream)
    assert line | {"timestamp": ""} == {
        "timestamp": "",
        "level": "info",
        "event": "answered",
        "request_id": "r1",
        "run_id": "run_1",
        "status": 200,
        "path": "/\n/",
    }
    assert str(line["timestamp"]).endswith("Z")


def test_a_terminal_gets_text() -> None:
    stream = Terminal()
    configure_logs(stream=stream)
    structlog.get_logger().info("answered", status=200)
    assert "answered" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_the_style_can_be_chosen_against_the_stream() -> None:
    as_json, as_text = Terminal(), io.StringIO()
    configure_logs(style="json", stream=as_json)
    structlog.get_logger().info("answered")
    configure_logs(style="console", stream=as_text)
    structlog.get_logger().info("answered")
    assert lines(as_json)[0]["event"] == "answered"
    assert not as_text.getvalue().startswith("{")


def test_the_level_is_kept() -> None:
    stream = io.StringIO()
    configure_logs(level="warning", stream=stream)
    structlog.get_logger().info("unheard")
    structlog.get_logger().warning("heard")
    assert [line["event"] for line in lines(stream)] == ["heard"]


def test_libraries_are_heard_in_the_same_format_from_warnings_on() -> None:
    stream = io.StringIO()
    configure_logs(level="debug", stream=stream)
    with bound_contextvars(request_id="r1"):
        logging.getLogger("some.library").info("unheard")
        logging.getLogger("some.library").warning("the disk is %s", "full")
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["logger"]) == ("the disk is full", "warning", "some.library")
    assert line["request_id"] == "r1"


@pytest.mark.parametrize("style", ["json", "console"])
def test_an_exception_is_logged_with_its_traceback(style: str) -> None:
    stream = io.StringIO()
    configure_logs(style="json" if style == "json" else "console", stream=stream)
    try:
        raise KeyError("lost")
    except KeyError as exc:
        structlog.get_logger().error("failed", exc_info=exc)
        logging.getLogger("some.library").exception("failed too")
    assert stream.getvalue().count("test_an_exception_is_logged") == 2
    assert "KeyError" in stream.getvalue()


def test_what_json_does_not_know_is_logged_all_the_same() -> None:
    stream = io.StringIO()
    configure_logs(stream=stream)
    structlog.get_logger().info("odd", value=object(), lone="\ud800")
    assert stream.getvalue().count("\n") == 1


def test_setting_logs_up_loads_nothing_heavy() -> None:
    check = "import sys, agent_gateway.logs; print(sorted({'litestar', 'numpy', 'torch'} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
