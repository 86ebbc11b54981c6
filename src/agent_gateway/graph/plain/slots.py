"""Reads out of a message what every tool would look for: namespace, cluster, time window, and the words left."""

from __future__ import annotations

from collections.abc import Sequence

from agent_gateway.graph.plain.places import find_cluster, find_namespace
from agent_gateway.graph.plain.windows import find_window
from agent_gateway.graph.plain.wording import plain_words, tidy
from agent_gateway.tool import PlainRequest

#: A longer message is no plain request: it says more than one call can do.
LONGEST = 1000


def read_plain(text: str, category: str, clusters: Sequence[str]) -> PlainRequest:
    """The message as the tools are asked about it; `clusters` are the names of those that are configured.

    `rest` is empty for a message that is too long; a tool may still recognize its own language in `text`.
    """
    if len(text) > LONGEST:
        return PlainRequest(text=text, rest="", category=category)
    words = plain_words(text)
    cluster, words = find_cluster(words, clusters)
    namespace, everywhere, words = find_namespace(words)
    seconds, words = find_window(words)
    return PlainRequest(
        text=text,
        # What stood before the request, a namespace or a window, may have hidden its beginning.
        rest=plain_words(tidy(words)),
        category=category,
        namespace=namespace,
        all_namespaces=everywhere,
        cluster=cluster,
        seconds=seconds,
    )
