"""`serve`: the gateway in this process, until a signal ends it."""

from __future__ import annotations

from agent_gateway.cli.output import Output
from agent_gateway.cli.plugin_commands import open_registry
from agent_gateway.config import Configuration
from agent_gateway.errors import InvalidInput
from agent_gateway.logs import configure_logs
from agent_gateway.server.hosting import House, Placement, open_house

TRY_NEXT = """
Ready when {gateway}/readyz says so. Then try, in another terminal:
  curl -s {url}/v1/chat -H 'content-type: application/json' -d '{{"message": "What can you do?"}}'
  .venv/bin/agent-gateway ask {persona} "What is the runbook for certificate renewal?"
  {url}/schema is the HTTP interface; Ctrl-C stops the gateway."""


def run_gateway(configuration: Configuration, *, port_offset: int, insecure: bool, as_json: bool) -> None:
    """Serve everybody; returns after the drain. `GatewayError` when it cannot start."""
    configure_logs(configuration.settings.log.level, configuration.settings.log.format)
    registry = open_registry(configuration)
    if not registry.served:
        raise InvalidInput("there is no persona to serve", hint="list one in personas.yaml, or drop in a plugin")
    placement = Placement(host=configuration.settings.server.host, port_offset=port_offset, insecure=insecure)
    with open_house(configuration, registry, placement) as house:
        announce(house, Output(as_json=as_json))
        house.run()


def announce(house: House, output: Output) -> None:
    """Say where everybody listens."""
    addresses = {each.name: each.url for each in house.bound.listeners if each.kind != "control"}
    if output.as_json:
        output.document({"addresses": addresses})
        return
    width = max(map(len, addresses))
    for name, url in addresses.items():
        output.text(f"{name:<{width}}  {url}")
    persona = next(name for name in addresses if name != "gateway")
    output.text(TRY_NEXT.format(url=addresses[persona], gateway=addresses["gateway"], persona=persona))
