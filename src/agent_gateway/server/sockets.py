"""Listening sockets, bound before anything else starts: a busy port is one clear sentence, not a traceback later."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import structlog

from agent_gateway.errors import GatewayError

BACKLOG = 2048
CONTROL_HOST = "127.0.0.1"

Kind: TypeAlias = Literal["persona", "gateway", "control"]
#: A family, and the address in it without the port.
_Address: TypeAlias = tuple[socket.AddressFamily, str]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class PortRequest:
    """A port somebody wants: 1 to 65535, or 0 for any free one.

    `name` is the persona's id, or what else listens. `optional`: only a dropped-in plugin asks, so that a port that
    cannot be had disables that plugin and nothing else.
    """

    name: str
    port: int
    kind: Kind = "persona"
    optional: bool = False


@dataclass(frozen=True)
class Listener:
    """A listening socket, and whom it is for; `port` is the real one."""

    name: str
    kind: Kind
    socket: socket.socket

    @property
    def host(self) -> str:
        """The address it is bound to."""
        return str(self.socket.getsockname()[0])

    @property
    def port(self) -> int:
        """The port it is bound to."""
        return int(self.socket.getsockname()[1])

    @property
    def url(self) -> str:
        """Where a client on this machine or network finds it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


@dataclass(frozen=True)
class Bound:
    """The sockets, the control socket among them, and the optional ports that could not be had, by name."""

    listeners: tuple[Listener, ...]
    failures: Mapping[str, GatewayError] = field(default_factory=dict)

    @property
    def control(self) -> Listener:
        """The socket of the command line."""
        return next(listener for listener in self.listeners if listener.kind == "control")

    @property
    def ports(self) -> dict[str, int]:
        """The real port of each persona."""
        return {listener.name: listener.port for listener in self.listeners if listener.kind == "persona"}

    def close(self) -> None:
        """Give every port back."""
        for listener in self.listeners:
            listener.socket.close()


def bind(host: str, requests: Sequence[PortRequest], *, insecure: bool = False, authenticated: bool = False) -> Bound:
    """Bind every port and a control socket on loopback, all or none.

    `GatewayError` when a port that is not optional cannot be had (code `port_taken`, `port_unavailable`), when the
    host is none of this machine's (`host_unknown`), or when it is not loopback, nobody has to be `authenticated` and
    `insecure` does not say that this is meant (`not_loopback`).
    """
    address = _resolve(host)
    if not authenticated:
        _check_exposure(host, address, insecure)
    listeners: list[Listener] = []
    failures: dict[str, GatewayError] = {}
    try:
        for request in requests:
            try:
                listeners.append(_listen(address, request))
            except GatewayError as exc:
                if not request.optional:
                    raise
                failures[request.name] = exc
        listeners.append(_listen_for_control({listener.port for listener in listeners}))
    except BaseException:
        Bound(tuple(listeners)).close()
        raise
    return Bound(tuple(listeners), failures)


def _resolve(host: str) -> _Address:
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise GatewayError(
            f"The host {host!r} is not known.", code="host_unknown", hint="give --host an address of this machine"
        ) from None
    # IPv4 first: that is where people look when a name such as localhost means both.
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, str(address[0])


def _check_exposure(host: str, address: _Address, insecure: bool) -> None:
    if ipaddress.ip_address(address[1].partition("%")[0]).is_loopback:
        return
    if not insecure:
        raise GatewayError(
            f"The gateway does not listen on {host}: no authentication is configured, "
            "so everybody who reaches that address could use every persona.",
            code="not_loopback",
            hint="listen on 127.0.0.1, name who may come in under auth, or accept this with --insecure",
        )
    _log.warning("listening_without_authentication", host=host, consequence="everybody on this network can use it")


def _listen(address: _Address, request: PortRequest) -> Listener:
    family, host = address
    # Named, the protocol is inherited by every connection, and asyncio then sends small answers without delay.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host == "::" else 1)
        listening.bind((host, request.port))
        # Only a listening socket owns its port: two that are merely bound with SO_REUSEADDR share it silently.
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except (OSError, OverflowError) as exc:
        listening.close()
        raise _explain(exc, request) from None
    return Listener(request.name, request.kind, listening)


def _explain(error: OSError | OverflowError, request: PortRequest) -> GatewayError:
    whose = f"the persona {request.name}" if request.kind == "persona" else f"the {request.name}"
    if getattr(error, "errno", None) == errno.EADDRINUSE:
        return GatewayError(
            f"Port {request.port} of {whose} is taken by another program.",
            code="port_taken",
            hint="stop that program, or shift every port with --port-offset",
        )
    reason = getattr(error, "strerror", None) or "ports go from 0 to 65535"
    return GatewayError(
        f"Port {request.port} of {whose} cannot be listened on: {reason}.",
        code="port_unavailable",
        hint="choose another port or --host, or shift every port with --port-offset",
    )


def _listen_for_control(taken: set[int]) -> Listener:
    # A request is told by its port alone, so the number must be unused on every address.
    while True:
        listener = _listen(_resolve(CONTROL_HOST), PortRequest(name="control", port=0, kind="control"))
        if listener.port not in taken:
            return listener
        listener.socket.close()
