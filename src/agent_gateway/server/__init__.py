"""Listening: sockets bound by us, one uvicorn server for all of them, and an end that always comes."""

from agent_gateway.server.protocol import ConnectionLimits
from agent_gateway.server.serving import ServeOptions, run, serve
from agent_gateway.server.shutdown import Shutdown
from agent_gateway.server.sockets import Bound, Listener, PortRequest, bind

__all__ = ["Bound", "ConnectionLimits", "Listener", "PortRequest", "ServeOptions", "Shutdown", "bind", "run", "serve"]
