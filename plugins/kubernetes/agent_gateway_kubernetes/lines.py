"""Command lines made of a typed tool's arguments, so that these go the same way as a command that a model wrote."""

from __future__ import annotations

import shlex

import agent_gateway as ag

from .grammar import Refused
from .session import Kubernetes, Order


def line(verb: str, *words: str, **options: str) -> str:
    """`kubectl VERB WORDS --option=value`; empty options are left out. `InvalidInput` for a word that is an option."""
    for word in words:
        if word.startswith("-") or not word:
            raise ag.InvalidInput(f"{word[:60]!r} is no name")
    given = [f"--{name.replace('_', '-')}={value}" for name, value in options.items() if value]
    return " ".join(["kubectl", verb, *map(shlex.quote, (*words, *given))])


async def with_namespace(kubernetes: Kubernetes, order: Order, context: ag.Context) -> Order:
    """The order with the namespace of the one object it names, which is looked for when the order names none.

    `NotFound` when it is nowhere, `InvalidInput` when it is in several.
    """
    try:
        command = order.parse()
    except Refused as refused:
        raise ag.Forbidden(refused.reason, code="command_refused") from refused
    if command.namespace or len(command.resources) != 1:
        return order
    scope = kubernetes.scope(order, context)
    (ref,) = command.resources
    resource = await scope.resource(ref)
    if not resource.namespaced:
        return order
    listed = await scope.api.read(resource.path(), (("fieldSelector", f"metadata.name={ref.name}"),))
    namespaces = sorted(each["metadata"]["namespace"] for each in listed.get("items") or [])
    if not namespaces:
        raise ag.NotFound(f"there is no {resource.one} '{ref.name}' in any namespace of '{scope.api.cluster}'")
    if len(namespaces) > 1:
        hint = f"name one of: {', '.join(namespaces)}"
        raise ag.InvalidInput(f"{resource.one} '{ref.name}' is in several namespaces", hint=hint)
    found = f"{order.line} {shlex.quote(f'--namespace={namespaces[0]}')}"
    return Order(line=found, manifest=order.manifest, cluster=order.cluster)
