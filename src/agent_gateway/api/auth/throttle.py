"""How many wrong credentials an address may send before it is told to wait."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

#: Addresses that are remembered; the one that failed longest ago goes first.
ADDRESSES = 4096
#: An IPv6 network of this length is one customer.
_PREFIX = 64


class _Bucket(NamedTuple):
    left: float
    at: float


class Throttle:
    """A bucket of failures for each address, as many as it may have in a minute; 0 for no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def exhausted(self, peer: str) -> bool:
        """Whether an address has failed too often lately."""
        return self._size > 0 and self._left(network(peer)) < 1

    def note(self, peer: str) -> None:
        """Count a failure."""
        if self._size == 0:
            return
        name = network(peer)
        self._buckets[name] = _Bucket(max(0.0, self._left(name) - 1), self._clock())
        self._buckets.move_to_end(name)
        if len(self._buckets) > ADDRESSES:
            self._buckets.popitem(last=False)

    def seconds(self, peer: str) -> int:
        """How long until the next failure is allowed."""
        missing = 1 - self._left(network(peer))
        return max(1, round(missing * 60 / self._size + 0.5)) if self._size else 0

    def _left(self, name: str) -> float:
        bucket = self._buckets.get(name)
        if bucket is None:
            return float(self._size)
        return min(self._size, bucket.left + (self._clock() - bucket.at) * self._size / 60)


def network(peer: str) -> str:
    """Return what one party can easily change its address within: itself, or its IPv6 network."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _PREFIX), strict=False))
    return str(address)
