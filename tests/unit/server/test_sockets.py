from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from agent_gateway.errors import GatewayError
from agent_gateway.server import PortRequest, bind


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_every_port_listens_at_once_and_knows_its_number() -> None:
    wanted = free_port()
    bound = bind("127.0.0.1", [PortRequest(name="bruno", port=0), PortRequest(name="jamie", port=wanted)])
    assert bound.ports["jamie"] == wanted
    assert bound.ports["bruno"] > 0
    for listener in bound.listeners:
        with socket.create_connection((listener.host, listener.port), timeout=5):
            pass
    bound.close()


def test_the_control_socket_is_on_loopback_and_on_a_number_of_its_own() -> None:
    bound = bind("127.0.0.1", [PortRequest(name="gateway", port=0, kind="gateway")])
    assert bound.control.host == "127.0.0.1"
    assert bound.control.port not in {listener.port for listener in bound.listeners if listener != bound.control}
    assert bound.control.url == f"http://127.0.0.1:{bound.control.port}"
    bound.close()


def test_a_taken_port_is_named_with_its_persona_and_the_way_out(taken: int) -> None:
    with pytest.raises(GatewayError) as caught:
        bind("127.0.0.1", [PortRequest(name="jamie", port=taken)])
    assert caught.value.code == "port_taken"
    assert str(taken) in caught.value.detail
    assert "jamie" in caught.value.detail
    assert "--port-offset" in caught.value.hint


def test_when_one_port_is_taken_the_others_are_given_back(taken: int) -> None:
    wanted = free_port()
    with pytest.raises(GatewayError):
        bind("127.0.0.1", [PortRequest(name="bruno", port=wanted), PortRequest(name="jamie", port=taken)])
    bind("127.0.0.1", [PortRequest(name="bruno", port=wanted)]).close()


def test_a_taken_port_of_a_dropped_in_plugin_disables_only_that(taken: int) -> None:
    bound = bind(
        "127.0.0.1",
        [PortRequest(name="pirate", port=taken, optional=True), PortRequest(name="bruno", port=0)],
    )
    assert set(bound.ports) == {"bruno"}
    assert bound.failures["pirate"].code == "port_taken"
    bound.close()


def test_two_personas_on_one_port_are_found_here_too() -> None:
    wanted = free_port()
    requests = [PortRequest(name="bruno", port=wanted), PortRequest(name="pirate", port=wanted, optional=True)]
    bound = bind("127.0.0.1", requests)
    assert list(bound.failures) == ["pirate"]
    bound.close()


@pytest.mark.parametrize("port", [65_536, 100_000, -1])
def test_a_number_that_is_no_port_is_an_error_and_no_traceback(port: int) -> None:
    with pytest.raises(GatewayError) as caught:
        bind("127.0.0.1", [PortRequest(name="gateway", port=port, kind="gateway")])
    assert caught.value.code == "port_unavailable"


@pytest.mark.parametrize("host", ["nowhere.invalid", "300.1.1.1", "a" * 300])
def test_a_host_that_does_not_exist_is_an_error(host: str) -> None:
    with pytest.raises(GatewayError) as caught:
        bind(host, [PortRequest(name="bruno", port=0)])
    assert caught.value.code == "host_unknown"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_other_machines_are_not_let_in_by_accident(host: str) -> None:
    with pytest.raises(GatewayError) as caught:
        bind(host, [PortRequest(name="bruno", port=0)])
    assert caught.value.code == "not_loopback"
    assert "authentication" in caught.value.detail
    assert "--insecure" in caught.value.hint


def test_other_machines_are_let_in_on_purpose_and_that_is_said_loudly() -> None:
    with capture_logs() as lines:
        bound = bind("0.0.0.0", [PortRequest(name="bruno", port=0)], insecure=True)
    assert [(line["log_level"], line["event"]) for line in lines] == [("warning", "listening_without_authentication")]
    assert bound.control.host == "127.0.0.1"
    bound.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_loopback_has_many_names(host: str) -> None:
    bound = bind(host, [PortRequest(name="bruno", port=0)])
    assert bound.listeners[0].host.startswith("127.")
    bound.close()


def test_ipv6_is_spelled_as_it_is_in_addresses() -> None:
    try:
        bound = bind("::1", [PortRequest(name="bruno", port=0)])
    except GatewayError as exc:
        # A container may have no IPv6 loopback: that is then said, and is not a traceback.
        code = exc.code
    else:
        code = bound.listeners[0].url.rpartition(":")[0]
        bound.close()
    assert code in {"http://[::1]", "port_unavailable"}
