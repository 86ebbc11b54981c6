"""A real Git server on loopback: dulwich's smart HTTP, with a password if wanted, that counts what it is asked."""

from __future__ import annotations

import base64
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from dulwich.object_store import commit_tree_changes, iter_tree_contents
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo
from dulwich.server import BackendRepo, DictBackend
from dulwich.web import make_wsgi_chain

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

MAIN = Ref(b"refs/heads/main")
LINK = stat.S_IFLNK


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has in the library
        pass


class _Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is what some tests are about."""


class GitServer:
    """One bare repository, served at `url`; `pushes` and `fetches` count the packs asked for or sent.

    `before_push` is called when a push has arrived and is not carried out yet. `status` other than 200 is answered to
    everything, and `delay` seconds pass before each answer.
    """

    def __init__(self, folder: Path, password: str = "") -> None:
        self.folder = folder
        self.pushes = 0
        self.fetches = 0
        self.requests = 0
        self.status = 200
        self.delay = 0.0
        self.before_push: Callable[[], object] | None = None
        self.url = ""
        self._password = password
        with closing(Repo.init_bare(str(folder), mkdir=True, default_branch=b"main")):
            pass

    def commit(self, files: Mapping[str, str | bytes | None], message: str = "change", *, mode: int = 0o100644) -> str:
        """Commit files to the branch behind the server's back; None deletes one. Returns the commit's id."""
        with closing(Repo(str(self.folder))) as repo:
            store = repo.object_store
            parents = [repo.refs[MAIN]] if MAIN in repo.refs else []
            changes: list[tuple[bytes, int | None, ObjectID | None]] = []
            for path, content in files.items():
                if content is None:
                    changes.append((path.encode(), None, None))
                    continue
                blob = Blob.from_string(content.encode() if isinstance(content, str) else content)
                store.add_object(blob)
                changes.append((path.encode(), mode, blob.id))
            tree = self.head(repo).tree if parents else _empty(repo)
            made = Commit()
            made.parents, made.tree = parents, commit_tree_changes(store, tree, changes)
            made.author = made.committer = b"Alice <alice@example.org>"
            made.author_time = made.commit_time = int(time.time())
            made.author_timezone = made.commit_timezone = 0
            made.message = message.encode()
            store.add_object(made)
            repo.refs[MAIN] = made.id
        return made.id.decode()

    def head(self, repo: Repo) -> Commit:
        """The commit the branch points to."""
        found = repo[repo.refs[MAIN]]
        assert isinstance(found, Commit)
        return found

    def messages(self) -> list[str]:
        """The messages of the branch, newest first."""
        with closing(Repo(str(self.folder))) as repo:
            return [entry.commit.message.decode() for entry in repo.get_walker([self.head(repo).id], order="topo")]

    def files(self) -> dict[str, str]:
        """The files of the branch."""
        with closing(Repo(str(self.folder))) as repo:
            entries = list(iter_tree_contents(repo.object_store, self.head(repo).tree))
            return {entry.path.decode(): repo[entry.sha].as_raw_string().decode() for entry in entries}

    def rewind(self, commit: str) -> None:
        """Let the branch point to an earlier commit, as a forced push does."""
        with closing(Repo(str(self.folder))) as repo:
            repo.refs[MAIN] = ObjectID(commit.encode())

    @contextmanager
    def running(self) -> Iterator[GitServer]:
        """Serve until the block ends."""
        with closing(Repo(str(self.folder))) as repo:
            served: dict[bytes, BackendRepo] = {b"/apps.git": repo}
            chain = make_wsgi_chain(DictBackend(served))

            def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
                return self._answer(chain, environ, start)

            with make_server("127.0.0.1", 0, answer, server_class=_Threaded, handler_class=_Quiet) as server:
                self.url = f"http://127.0.0.1:{server.server_port}/apps.git"
                thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
                thread.start()
                try:
                    yield self
                finally:
                    server.shutdown()
                    thread.join()

    def _answer(self, chain: Any, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        self.requests += 1
        time.sleep(self.delay)
        status = self.status if self.status != 200 or self._welcome(environ) else 401
        if status != 200:
            start(f"{status} refused", [("Content-Type", "text/plain"), ("WWW-Authenticate", "Basic")])
            return [b"no"]
        path = environ["PATH_INFO"]
        if path.endswith("/git-receive-pack"):
            self.pushes += 1
            if self.before_push is not None:
                self.before_push()
        self.fetches += path.endswith("/git-upload-pack")
        answered: Iterable[bytes] = chain(environ, start)
        return answered

    def _welcome(self, environ: WSGIEnvironment) -> bool:
        given = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Basic ")
        return not self._password or base64.b64decode(given).decode() == f"git:{self._password}"


def _empty(repo: Repo) -> ObjectID:
    tree = Tree()
    repo.object_store.add_object(tree)
    return tree.id
