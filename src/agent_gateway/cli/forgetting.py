"""`forget`: in the running gateway, or here with the data directory locked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from agent_gateway.api.shapes import ForgetReply
from agent_gateway.cli.administration import open_administration
from agent_gateway.cli.output import Output
from agent_gateway.config import Configuration
from agent_gateway.interfaces import Forgetting


def forget_memories(
    conditions: Mapping[str, str], configuration: Configuration, *, dry_run: bool, as_json: bool
) -> None:
    """Forget the interactions that meet these conditions, fields of `Forgetting`, and say how many there were."""
    output = Output(as_json=as_json)
    which = Forgetting(**conditions, dry_run=dry_run)
    matching = asyncio.run(_forget(which, configuration, output))
    if as_json:
        output.document(ForgetReply(matching=matching, dry_run=dry_run))
        return
    subject = "1 remembered interaction" if matching == 1 else f"{matching} remembered interactions"
    output.text(f"{subject} would be forgotten." if dry_run else f"Forgot {subject}.")


async def _forget(which: Forgetting, configuration: Configuration, output: Output) -> int:
    async with open_administration(configuration, quiet=output.as_json) as administration:
        return await administration.forget(which)
