"""What stands under `plugins.gitops` in the settings."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

import agent_gateway as ag

from .rules import matches

_BRANCH = re.compile(r"(?!.*(\.\.|//|@\{|\.lock(/|$)))[A-Za-z0-9][A-Za-z0-9._/-]{0,199}(?<![/.])")
_AUTHOR = re.compile(r"[^<>\x00-\x1f]{1,100} <[^<>\s]{1,100}>")
_SCHEMES = ("http", "https", "file")


class RepositorySettings(BaseModel):
    """One repository. `paths` are globs of what may be edited; without any it can only be read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    branch: str = "main"
    paths: tuple[str, ...] = ()
    #: Where apps are looked for; empty is everywhere.
    apps_path: str = ""
    username: str = ""
    #: The name of the environment variable with the password or token, or a file with it.
    password_env: str = ""
    token_file: Path | None = None
    #: Certificates to trust besides the system's.
    ca_file: Path | None = None
    author: str = "agent-gateway <agent-gateway@localhost>"

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme in {"ssh", "git+ssh"} or (not parts.scheme and "@" in url):
            raise ValueError("ssh needs a program beside the gateway; use the repository's https address and a token")
        if parts.scheme not in _SCHEMES:
            raise ValueError(f"must begin with {', '.join(f'{scheme}://' for scheme in _SCHEMES)}")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("must hold no user, password or query: use username, and password_env or token_file")
        if (parts.scheme == "file") is bool(parts.hostname) or not parts.path.strip("/"):
            raise ValueError("must name a host and a repository, or with file:// an absolute path")
        return url.rstrip("/")

    @field_validator("branch")
    @classmethod
    def _check_branch(cls, branch: str) -> str:
        if not _BRANCH.fullmatch(branch):
            raise ValueError("is no name of a branch")
        return branch

    @field_validator("paths")
    @classmethod
    def _check_paths(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        try:
            matches("a", paths)
        except ag.InvalidInput as error:
            raise ValueError(error.detail) from None
        return paths

    @field_validator("author")
    @classmethod
    def _check_author(cls, author: str) -> str:
        if not _AUTHOR.fullmatch(author):
            raise ValueError("must look like: Name <mail@example.org>")
        return author

    @model_validator(mode="after")
    def _check_secret(self) -> RepositorySettings:
        if self.password_env and self.token_file is not None:
            raise ValueError("password_env and token_file exclude each other")
        return self

    @property
    def target(self) -> str:
        """The branch's name in the world."""
        return f"{self.url}@{self.branch}"

    @property
    def ref(self) -> bytes:
        """The branch as git calls it."""
        return b"refs/heads/" + self.branch.encode()

    def password(self) -> str:
        """The password or token, read anew each time; empty when none is configured."""
        if self.password_env:
            secret = os.environ.get(self.password_env, "")
            if not secret:
                raise ag.Unavailable(f"the environment has no {self.password_env}", code="git_credentials")
            ag.known_secrets.register(secret)
            return secret
        if self.token_file is None:
            return ""
        try:
            secret = self.token_file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            raise ag.Unavailable(f"{self.token_file} cannot be read", code="git_credentials") from None
        # It may have changed since the gateway was started.
        ag.known_secrets.register(secret)
        return secret


class GitopsSettings(BaseModel):
    """All repositories; `default` names the one that is meant when a call names none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    repositories: dict[str, RepositorySettings] = {}
    default: str = ""
    #: Where fetched objects are kept, for this user alone.
    cache_dir: Path | None = None
    #: How long one look at a repository, or one commit with its push, may take.
    timeout_seconds: float = Field(default=45.0, gt=0, le=600)

    @model_validator(mode="after")
    def _check_default(self) -> GitopsSettings:
        if self.default and self.default not in self.repositories:
            raise ValueError(f"default names '{self.default}', which is none of the repositories")
        return self

    def choose(self, name: str) -> tuple[str, RepositorySettings]:
        """The repository that a call means; `NotFound` names those there are."""
        known = ", ".join(self.repositories)
        if not self.repositories:
            hint = "add plugins.gitops.repositories.NAME.url to the settings"
            raise ag.NotFound("no Git repository is configured", hint=hint)
        only = next(iter(self.repositories)) if len(self.repositories) == 1 else ""
        chosen = name or self.default or only
        if not chosen:
            raise ag.InvalidInput(f"say which repository: {known}")
        if chosen not in self.repositories:
            raise ag.NotFound(f"there is no repository '{chosen[:80]}'", hint=f"there are: {known}")
        return chosen, self.repositories[chosen]
