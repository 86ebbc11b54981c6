"""Tokens that the API server of a Kubernetes cluster reviews: those of its service accounts, above all."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import msgspec
import structlog

from agent_gateway.api.auth.credentials import Refused, peek
from agent_gateway.api.auth.principals import OWNER_LENGTH, Grant, Identity
from agent_gateway.config.auth import KubernetesAuthSettings, SubjectGrant
from agent_gateway.errors import InvalidInput, Unavailable
from agent_gateway.interfaces import ApiRequest, Cluster

PATH = "/apis/authentication.k8s.io/v1/tokenreviews"
REVIEW_SECONDS = 5.0
#: Reviews at a time, and results that are kept.
PARALLEL, KEPT = 8, 1024
#: A token that is no good now may be good in a moment: it may be asked about before the cluster knows it.
REFUSED_SECONDS = 10.0
BODY_LIMIT = 262_144

_log = structlog.get_logger(__name__)


class ReviewedUser(msgspec.Struct, frozen=True):
    """Who a token is for."""

    username: str = ""
    groups: tuple[str, ...] = ()


class ReviewStatus(msgspec.Struct, frozen=True):
    """The outcome of a review."""

    authenticated: bool = False
    user: ReviewedUser = ReviewedUser()
    audiences: tuple[str, ...] = ()


class Review(msgspec.Struct, frozen=True):
    """What is read of a TokenReview."""

    status: ReviewStatus = ReviewStatus()


class _Kept(NamedTuple):
    identity: Identity | None
    until: float


class TokenReviews:
    """Implements `Method`: takes every token that is nobody else's, and remembers what the cluster said for a while."""

    name = "kubernetes"

    def __init__(
        self, settings: KubernetesAuthSettings, cluster: Cluster, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._clock = clock
        self._grants = tuple((each, Grant.of(each)) for each in settings.grants)
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._slots = asyncio.Semaphore(PARALLEL)

    def takes(self, token: str) -> bool:
        """Whatever the cluster knows: it also has tokens that are no JWT."""
        del token
        return True

    def is_local(self, token: str) -> bool:
        """Whether the cluster was asked about it a moment ago."""
        return self._find(_digest(token)) is not None

    async def identify(self, token: str) -> Identity:
        """Have the API server say whose it is, unless it just did."""
        digest = _digest(token)
        kept = self._find(digest)
        if kept is None:
            async with self._slots:
                identity = self._read(await self._review(token))
            kept = self._keep(digest, identity, token)
        if kept.identity is None:
            raise Refused("the cluster does not know it, or it is for somebody else")
        return kept.identity

    async def _review(self, token: str) -> ReviewStatus:
        spec = {"token": token, "audiences": self._settings.audience}
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec}
        request = ApiRequest(method="POST", path=PATH, body=msgspec.json.encode(body))
        try:
            response = await self._cluster.send(request, timeout=REVIEW_SECONDS, limit=BODY_LIMIT)
        except (InvalidInput, Unavailable) as error:
            _log.warning("token_review_failed", cluster=self._cluster.name, error=error.detail)
            raise self._unavailable() from error
        if response.status not in {200, 201}:
            hint = "the gateway needs the cluster role system:auth-delegator" if response.status == 403 else ""
            _log.error("token_review_failed", cluster=self._cluster.name, status=response.status, hint=hint)
            raise self._unavailable()
        try:
            return msgspec.json.decode(response.body, type=Review).status
        except msgspec.DecodeError as error:
            _log.error("token_review_failed", cluster=self._cluster.name, error="the answer is no TokenReview")
            raise self._unavailable() from error

    def _read(self, status: ReviewStatus) -> Identity | None:
        # An API server that knows no audiences does not name them: its answer is about itself, not about us.
        if not status.authenticated or not set(status.audiences) & set(self._settings.audience):
            return None
        user = status.user
        if not user.username.isprintable() or not 0 < len(user.username) <= OWNER_LENGTH:
            return None
        grants = tuple(grant for settings, grant in self._grants if applies(settings, user))
        return Identity(owner=f"k8s:{user.username}", grants=grants)

    def _find(self, digest: bytes) -> _Kept | None:
        kept = self._kept.get(digest)
        return kept if kept is not None and kept.until > self._clock() else None

    def _keep(self, digest: bytes, identity: Identity | None, token: str) -> _Kept:
        seconds = self._settings.cache_seconds
        if identity is None:
            seconds = min(seconds, REFUSED_SECONDS)
        elif isinstance(expires := peek(token).exp, int | float):
            seconds = min(seconds, max(0.0, expires - time.time()))
        kept = self._kept[digest] = _Kept(identity, self._clock() + seconds)
        self._kept.move_to_end(digest)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return kept

    def _unavailable(self) -> Unavailable:
        return Unavailable(
            "The cluster cannot be asked, so tokens cannot be checked.", code="token_review_failed", retry_after=5
        )


def applies(settings: SubjectGrant, user: ReviewedUser) -> bool:
    """Whether a grant is for somebody."""
    return settings.group in user.groups if settings.group else settings.user == user.username


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
