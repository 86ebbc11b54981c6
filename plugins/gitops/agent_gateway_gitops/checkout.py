"""A repository as one piece of work sees it: the branch's head, its objects, and the push."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from dulwich.client import LocalGitClient
from dulwich.errors import ChecksumMismatch, MissingCommitError, NotGitRepository
from dulwich.file import FileLocked
from dulwich.object_store import BaseObjectStore
from dulwich.objects import Commit, ObjectID
from dulwich.refs import HEADREF, Ref
from dulwich.repo import Repo

import agent_gateway as ag

from .limits import Limit
from .remote import connect, telling
from .settings import RepositorySettings

T = TypeVar("T")


class Moved(Exception):
    """Somebody else pushed in between."""


class Checkout:
    """One repository while one piece of work uses it. `store` holds everything that was fetched so far."""

    def __init__(self, repo: Repo, settings: RepositorySettings, limit: Limit) -> None:
        self.settings = settings
        self.limit = limit
        self._repo = repo

    @property
    def store(self) -> BaseObjectStore:
        """The objects."""
        return self._repo.object_store

    def fetch(self) -> Commit:
        """The commit that the branch points to now."""
        self.limit.check()
        ref = Ref(self.settings.ref)
        client, path = connect(self.settings, self.limit)

        def wanted(refs: Mapping[Ref, ObjectID], depth: int | None = None) -> list[ObjectID]:
            return [refs[ref]] if ref in refs and refs[ref] not in self.store else []

        with telling(self.settings), closing(client):
            head = client.fetch(path, self._repo, determine_wants=wanted, ref_prefix=[ref]).refs.get(ref)
        if head is None:
            raise ag.NotFound(f"{self.settings.url} has no branch '{self.settings.branch}'", code="git_not_found")
        # The ref only tells the next fetch what is here already; another process may be writing it.
        with suppress(FileLocked):
            self._repo.refs[ref] = head
        return self.commit(head)

    def commit(self, commit_id: bytes) -> Commit:
        """A commit that was fetched."""
        found = self.store[ObjectID(commit_id)]
        if not isinstance(found, Commit):
            raise ag.NotFound(f"{commit_id.decode()} is no commit", code="git_not_found")
        return found

    def push(self, commit: Commit, onto: Commit) -> str:
        """Let the branch point to a commit made onto another, which must still be its head, else `Moved`.

        Returns what the server says against it, or nothing. Nobody may believe it before the branch was fetched again.
        """
        ref = Ref(self.settings.ref)
        client, path = connect(self.settings, self.limit)
        if isinstance(client, LocalGitClient):
            _refuse_checked_out(path, self.settings)

        def update(refs: dict[Ref, ObjectID]) -> dict[Ref, ObjectID]:
            if refs.get(ref) != onto.id:
                raise Moved
            self.limit.check()
            return {ref: commit.id}

        with telling(self.settings), closing(client):
            result = client.send_pack(path.encode(), update, self.store.generate_pack_data)
        return (result.ref_status or {}).get(ref) or ""


def _refuse_checked_out(path: str, settings: RepositorySettings) -> None:
    """A push would change the branch under somebody's working tree, which git refuses as well."""
    with closing(Repo(path)) as target:
        if not target.bare and target.refs.get_symrefs().get(HEADREF) == settings.ref:
            hint = "use a bare repository, or check out another branch there"
            raise ag.Conflict(f"'{settings.branch}' is checked out at {settings.url}", code="git_refused", hint=hint)


def use(folder: Path, settings: RepositorySettings, limit: Limit, work: Callable[[Checkout], T]) -> T:
    """Do one piece of work on a repository. A cache that lacks what it should have is thrown away, once."""
    for last in (False, True):
        limit.check()
        try:
            with _opened(folder, settings) as repo:
                return work(Checkout(repo, settings, limit))
        except (KeyError, MissingCommitError, ChecksumMismatch) as error:
            shutil.rmtree(folder / _name(settings), ignore_errors=True)
            if last:
                raise ag.Unavailable(f"{settings.url} lacks an object: {error}", code="git_unreachable") from None
    raise AssertionError


def private_folder(wanted: Path | None) -> Path:
    """The folder of all caches, which nobody else may enter; `StorageFailed` when there is none."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    usual = (Path(home) if home else Path("~/.cache").expanduser()) / "agent-gateway" / "git"
    other = Path(tempfile.gettempdir()) / f"agent-gateway-git-{os.getuid()}"
    for folder in (usual, other) if wanted is None else (wanted,):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            folder.chmod(0o700)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise ag.StorageFailed("there is no place for a copy of the repository", hint="set plugins.gitops.cache_dir")


@contextmanager
def _opened(folder: Path, settings: RepositorySettings) -> Iterator[Repo]:
    path = folder / _name(settings)
    try:
        repo = Repo(str(path))
    except NotGitRepository:
        shutil.rmtree(path, ignore_errors=True)
        repo = Repo.init_bare(str(path), mkdir=True, default_branch=settings.branch.encode())
    with closing(repo):
        yield repo


def _name(settings: RepositorySettings) -> str:
    return hashlib.sha256(settings.target.encode()).hexdigest()[:24]
