"""From the settings to the door of the persona ports and the gateway port."""

from __future__ import annotations

from collections.abc import Sequence

from agent_gateway.api.auth.admission import Admission, Admit, admit_everybody
from agent_gateway.api.auth.api_keys import ApiKeys
from agent_gateway.api.auth.credentials import Method
from agent_gateway.api.auth.id_tokens import IdTokens
from agent_gateway.api.auth.throttle import Throttle
from agent_gateway.api.auth.token_reviews import TokenReviews
from agent_gateway.config.auth import AuthSettings
from agent_gateway.errors import InvalidInput
from agent_gateway.interfaces import Clusters


def open_admission(settings: AuthSettings, clusters: Clusters | None, origins: Sequence[str] = ()) -> Admit:
    """Make the door that the settings describe; in a worker thread, for certificates are read.

    `NotFound` or `InvalidInput` when the cluster that is to review tokens is none of the gateway's.
    """
    if not settings.configured:
        return admit_everybody
    methods: list[Method] = [ApiKeys(settings.callers), IdTokens(settings.issuers)]
    if settings.kubernetes is not None:
        if clusters is None:
            raise InvalidInput("auth.kubernetes needs a cluster", hint="add one to the settings")
        methods.append(TokenReviews(settings.kubernetes, clusters.get(settings.kubernetes.cluster)))
    return Admission(methods, Throttle(settings.failures_per_minute), origins)
