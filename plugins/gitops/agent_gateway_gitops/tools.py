"""The tools over the configured repositories."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec

import agent_gateway as ag

from . import committing, history
from .checkout import Checkout, private_folder, use
from .edits import Edit, parse_edits
from .limits import Limit, Worker
from .messages import check_message
from .recognition import recognize_git_commit, recognize_git_log, recognize_git_show
from .settings import GitopsSettings

T = TypeVar("T")
_Repository = Annotated[str, msgspec.Meta(description="Name of the repository in the settings; empty for the default.")]


class Repositories:
    """The repositories of the settings, each with a thread of its own from its first use on."""

    def __init__(self, settings: GitopsSettings) -> None:
        self._settings = settings
        self._workers: dict[str, Worker] = {}

    async def git_commit(
        self,
        message: Annotated[str, msgspec.Meta(description="What changes and why: one line, then more if needed.")],
        edits: list[Edit],
        warrant: ag.Warrant,
        repository: _Repository = "",
    ) -> str:
        """Change manifests in Git and push: an app's image or tag, replicas, Helm values, any single field."""
        checked = parse_edits(edits)
        return await self.work(repository, lambda checkout: committing.commit(checkout, message, checked, warrant))

    async def preview_commit(self, message: str, edits: list[Edit], repository: str = "") -> ag.Preview:
        """The diff of the commit, without making it."""
        checked = parse_edits(edits)
        check_message(message)
        return await self.work(repository, lambda checkout: committing.preview(checkout, message, checked))

    async def verify_commit(
        self, message: str, edits: list[Edit], warrant: ag.Warrant, repository: str = ""
    ) -> ag.Verification:
        """Look for the commit on the branch."""
        check_message(message)
        checked = parse_edits(edits)
        try:
            return await self.work(repository, lambda checkout: committing.verify(checkout, checked, warrant))
        except (ag.Unavailable, ag.Forbidden) as error:
            return ag.Verification(outcome="unknown", text=error.detail)

    async def git_log(
        self,
        path: Annotated[str, msgspec.Meta(description="A file or folder; empty for all.")] = "",
        since: Annotated[str, msgspec.Meta(description="How far back: 3h, 2d, or an ISO time.")] = "",
        limit: int = 20,
        repository: _Repository = "",
    ) -> list[dict[str, Any]]:
        """List the newest commits of a Git repository: author, time, subject, files, run and requester."""
        moment = history.parse_since(since)
        return await self.work(repository, lambda checkout: history.log(checkout, path, moment, limit))

    async def git_show(
        self,
        commit: Annotated[str, msgspec.Meta(description="The commit's id, at least 7 digits of it, or HEAD.")],
        repository: _Repository = "",
    ) -> str:
        """Show one commit of a Git repository with its message and diff."""
        return await self.work(repository, lambda checkout: history.show(checkout, commit))

    async def work(self, name: str, job: Callable[[Checkout], T]) -> T:
        """Run one piece of work on a repository, in its thread."""
        chosen, settings = self._settings.choose(name)
        worker = self._workers.get(chosen)
        if worker is None:
            worker = self._workers[chosen] = Worker(chosen, self._settings.timeout_seconds)

        def run(limit: Limit) -> T:
            return use(private_folder(self._settings.cache_dir), settings, limit, job)

        return await worker.run(run)

    def close(self) -> None:
        """Let the threads end."""
        while self._workers:
            self._workers.popitem()[1].close()

    def tools(self) -> list[ag.Tool]:
        """The tools."""
        patience = self._settings.timeout_seconds + 5
        return [
            ag.tool(
                self.git_commit,
                effect="write",
                preview=self.preview_commit,
                verify=self.verify_commit,
                idempotent=True,
                recognize=recognize_git_commit,
                timeout_seconds=patience,
                intents=("deploy",),
            ),
            ag.tool(
                self.git_log,
                timeout_seconds=patience,
                intents=("query", "troubleshoot", "deploy"),
                recognize=recognize_git_log,
            ),
            ag.tool(
                self.git_show,
                timeout_seconds=patience,
                output_limit=8000,
                intents=("query", "troubleshoot"),
                recognize=recognize_git_show,
            ),
        ]
