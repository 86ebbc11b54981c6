"""How a cluster is reached and as whom: what kubernetes_asyncio reads from a kubeconfig or from a pod."""

from __future__ import annotations

import hashlib
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

from agent_gateway.clusters.kubeconfig import Kubeconfig, check_credentials
from agent_gateway.errors import InvalidInput
from agent_gateway.redaction import known_secrets

#: Where Kubernetes puts a pod's own credentials.
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
HOST_VARIABLE = "KUBERNETES_SERVICE_HOST"
#: After this many seconds credentials are read again: tokens in files and of identity providers expire.
_FRESH_SECONDS = 60.0


class Access(Protocol):
    """Loads a `Configuration` of kubernetes_asyncio."""

    async def load(self) -> Any:
        """Read address and credentials anew; `InvalidInput` (code `cluster_credentials`) when they cannot be used."""
        ...


class KubeconfigAccess:
    """Implements `Access` by one context of a kubeconfig file."""

    def __init__(self, name: str, kubeconfig: Kubeconfig, *, allow_exec: bool) -> None:
        self._name = name
        self._kubeconfig = kubeconfig
        self._allow_exec = allow_exec

    async def load(self) -> Any:
        """Read the context again: the file may have got a new token."""
        from kubernetes_asyncio.client import Configuration  # noqa: PLC0415 - slow, and only for those with clusters
        from kubernetes_asyncio.config import ConfigException, load_kube_config  # noqa: PLC0415 - as above

        path = self._kubeconfig.path
        try:
            current = Kubeconfig(path, (), yaml.safe_load(path.read_text(encoding="utf-8")))
            check_credentials(current.user_of(self._name), self._name, allow_exec=self._allow_exec)
            configuration = Configuration()
            await load_kube_config(str(path), self._name, configuration, persist_config=False)
        except (OSError, ValueError, LookupError, TypeError, AttributeError, ConfigException, yaml.YAMLError) as exc:
            raise unusable(self._name, exc) from exc
        return configuration


class PodAccess:
    """Implements `Access` by the service account of the pod this process runs in."""

    def __init__(self, name: str, environ: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> None:
        self._name = name
        self._environ = dict(environ)
        self._folder = folder

    async def load(self) -> Any:
        """Read the pod's token and the cluster's certificate."""
        from kubernetes_asyncio.client import Configuration  # noqa: PLC0415 - slow, and only for those with clusters
        from kubernetes_asyncio.config import ConfigException  # noqa: PLC0415 - as above
        from kubernetes_asyncio.config.incluster_config import InClusterConfigLoader  # noqa: PLC0415 - as above

        configuration = Configuration()
        loader = InClusterConfigLoader(
            token_filename=str(self._folder / "token"),
            cert_filename=str(self._folder / "ca.crt"),
            try_refresh_token=False,
            environ=self._environ,
        )
        try:
            loader.load_and_set(configuration)
        except (OSError, ConfigException) as exc:
            raise unusable(self._name, exc) from exc
        return configuration


@dataclass(frozen=True)
class Loaded:
    """A configuration as it was read, and what a connection depends on: also what its certificate files held then."""

    configuration: Any
    connection: tuple[Any, ...]

    def is_as(self, other: Loaded) -> bool:
        """Whether a server would take the one as it takes the other."""
        mine, others = authorization(self.configuration), authorization(other.configuration)
        return (self.connection, mine) == (other.connection, others)


class Credentials:
    """The credentials of one cluster, read again every minute."""

    def __init__(self, name: str, access: Access) -> None:
        self._name = name
        self._access = access
        self._loaded: Loaded | None = None
        self._read_at = 0.0

    async def current(self, *, anew: bool = False) -> Loaded:
        """What to use now; `anew` when the server has refused the last."""
        if anew or self._loaded is None or time.monotonic() - self._read_at > _FRESH_SECONDS:
            configuration = await self._access.load()
            self._loaded = Loaded(configuration, self._connection(configuration))
            known_secrets.register(*authorization(configuration).get("Authorization", "").split())
            self._read_at = time.monotonic()
        return self._loaded

    def _connection(self, configuration: Any) -> tuple[Any, ...]:
        """Certificates are replaced in place, under the names that they had."""
        files = (configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file)
        try:
            held = [hashlib.sha256(Path(each).read_bytes()).digest() if each else b"" for each in files]
        except OSError as exc:
            raise unusable(self._name, exc) from exc
        return (configuration.host, configuration.verify_ssl, *held)


def runs_in_pod(environ: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> bool:
    """Tell whether this process runs in a pod that has a service account."""
    return bool(environ.get(HOST_VARIABLE)) and (folder / "token").is_file()


def authorization(configuration: Any) -> dict[str, str]:
    """The header that says who asks; empty when a client certificate does."""
    token = str(configuration.api_key.get("BearerToken", "")).strip()
    return {"Authorization": token} if token else {}


def encryption(name: str, configuration: Any) -> ssl.SSLContext:
    """How the connection is encrypted, and whose certificate is expected; `InvalidInput` when a file is no use."""
    try:
        context = ssl.create_default_context(cafile=configuration.ssl_ca_cert or None)
        # Clusters sign for themselves, often without the extensions that newer Pythons insist on.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if configuration.cert_file:
            context.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)
    except OSError as exc:
        raise unusable(name, exc) from exc
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def unusable(name: str, why: Exception) -> InvalidInput:
    """The error for credentials that cannot be used; the reason is told without what the file holds."""
    reason = why.strerror if isinstance(why, OSError) and why.strerror else type(why).__name__
    if type(why).__name__ == "ConfigException":
        # It may quote a whole entry, with its token.
        reason = str(why).partition("{")[0][:200]
    return InvalidInput(
        f"the credentials of the cluster '{name}' cannot be used: {reason}",
        code="cluster_credentials",
        hint="see clusters.kubeconfig in the settings",
    )
