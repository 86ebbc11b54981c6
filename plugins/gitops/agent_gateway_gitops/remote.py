"""The way to a repository's server: smart HTTP or a local folder, without a git binary, bounded, told in our errors."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import urllib3
from dulwich.client import GitClient, HttpGitClient, HTTPUnauthorized, LocalGitClient
from dulwich.config import ConfigDict
from dulwich.errors import FileFormatException, GitProtocolError, NotGitRepository, SendPackError

import agent_gateway as ag

from .limits import Limit
from .settings import RepositorySettings

#: Seconds to connect, and between two pieces of an answer.
_PATIENCE = urllib3.Timeout(connect=5.0, read=20.0)
_LARGEST_ANSWER = 512 * 1024 * 1024


class BoundedHttpClient(HttpGitClient):
    """Smart HTTP whose answers are bounded in time and size."""

    def __init__(self, url: str, limit: Limit, **options: Any) -> None:
        self._limit = limit
        super().__init__(url, config=ConfigDict(), quiet=True, **options)

    def close(self) -> None:
        """Hang up."""
        self.pool_manager.clear()
        super().close()

    def _http_request(
        self, url: str, headers: dict[str, str] | None = None, data: Any = None, raise_for_status: bool = True
    ) -> tuple[Any, Callable[[int], bytes]]:
        self._limit.check()
        response, read = super()._http_request(url, headers, data, raise_for_status=False)
        if raise_for_status and response.status != 200:
            # What is not read keeps its connection open.
            response.close()
            raise _refusal(response.status, url)
        got = 0

        def bounded(size: int) -> bytes:
            nonlocal got
            self._limit.check()
            piece = read(size)
            got += len(piece)
            if got > _LARGEST_ANSWER:
                raise GitProtocolError("the repository is too large")
            return piece

        return response, bounded


def connect(settings: RepositorySettings, limit: Limit) -> tuple[GitClient, str]:
    """A client, and the path to give it."""
    parts = urlsplit(settings.url)
    if parts.scheme == "file":
        return LocalGitClient(config=ConfigDict()), url2pathname(parts.path)
    password = settings.password()
    # No redirect is followed: who it leads to was not configured.
    retries = urllib3.Retry(0, redirect=0, raise_on_redirect=False)
    trusted: dict[str, Any] = {"ca_certs": str(settings.ca_file)} if settings.ca_file is not None else {}
    pool = urllib3.PoolManager(timeout=_PATIENCE, retries=retries, **trusted)
    username = settings.username or ("git" if password else None)
    client = BoundedHttpClient(
        f"{parts.scheme}://{parts.netloc}", limit, pool_manager=pool, username=username, password=password or None
    )
    return client, parts.path


@contextmanager
def telling(settings: RepositorySettings) -> Iterator[None]:
    """Make what goes wrong with a repository an error of ours, without credentials."""
    place = settings.url
    try:
        yield
    except HTTPUnauthorized:
        hint = "set username, and password_env or token_file, of this repository"
        raise ag.Forbidden(f"{place} does not accept the credentials", code="git_credentials", hint=hint) from None
    except NotGitRepository:
        raise ag.NotFound(f"there is no Git repository at {place}", code="git_not_found") from None
    except SendPackError as error:
        raise ag.Conflict(f"{place} refused the push: {_line(error)}", code="git_refused") from None
    except urllib3.exceptions.HTTPError as error:
        raise _unreachable(place, error) from None
    except (GitProtocolError, FileFormatException, OSError, EOFError, zlib.error, AssertionError, ValueError) as error:
        raise _unreachable(place, error) from None


def _refusal(status: int, url: str) -> Exception:
    if status in {401, 403}:
        return HTTPUnauthorized(None, url)
    if status == 404:
        return NotGitRepository()
    if 300 <= status < 400:
        return GitProtocolError("it redirects to another address, configure that one")
    return GitProtocolError(f"it answers with status {status}")


def _unreachable(place: str, error: BaseException) -> ag.Unavailable:
    return ag.Unavailable(f"{place} cannot be used: {_line(error)}", code="git_unreachable")


def _line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:300]
