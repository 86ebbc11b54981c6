"""Finds the gateway that holds a data directory."""

from __future__ import annotations

from agent_gateway.config import Configuration
from agent_gateway.knowledge.lock import LockHolder, read_lock
from agent_gateway.redaction import known_secrets


def find_gateway(configuration: Configuration) -> LockHolder | None:
    """Find the gateway that serves a data directory; None when there is none, or only an ingest."""
    holder = read_lock(configuration.settings.data_dir)
    if holder is None or not holder.control_url:
        return None
    known_secrets.register(holder.token)
    return holder
