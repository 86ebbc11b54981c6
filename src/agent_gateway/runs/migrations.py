"""The schema, as forward migrations: entry n brings a database from version n to n + 1. Never edit an old entry."""

from __future__ import annotations

import sqlite3

from agent_gateway.errors import StorageFailed

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE conversations (
        id TEXT PRIMARY KEY,
        persona TEXT NOT NULL,
        owner TEXT NOT NULL,
        title TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX conversations_by_update ON conversations (persona, owner, updated_at);

    CREATE TABLE runs (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
        persona TEXT NOT NULL,
        owner TEXT NOT NULL,
        message TEXT NOT NULL,
        request_id TEXT NOT NULL,
        status TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        finished_at TEXT,
        answer BLOB
    );
    CREATE INDEX runs_by_conversation ON runs (conversation_id, created_at);
    CREATE INDEX runs_unfinished ON runs (created_at) WHERE status IN ('running', 'interrupted');

    -- Rows in the order of their commits and a small key: the events of 500 runs that stream side by side touch
    -- a tenth of the pages that they would if each run's rows lay together.
    CREATE TABLE events (
        run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
        seq INTEGER NOT NULL,
        type TEXT NOT NULL,
        data BLOB NOT NULL,
        at INTEGER NOT NULL, -- microseconds since 1970, UTC
        PRIMARY KEY (run, seq)
    );

    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('remember', 'forget')),
        payload BLOB NOT NULL,
        created_at TEXT NOT NULL
    );
    """,
    """
    -- One row a model call. The run is named, not referred to: the rows outlive a deleted conversation, because what
    -- was spent was spent, and there is nothing in them that anybody wrote.
    CREATE TABLE model_uses (
        id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL,
        persona TEXT NOT NULL,
        stage TEXT NOT NULL,
        tier TEXT NOT NULL,
        model TEXT NOT NULL,
        day TEXT NOT NULL, -- the date of "at", UTC
        prompt_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL,
        estimated INTEGER NOT NULL, -- 1 when the tokens were counted here
        cost REAL NOT NULL, -- USD
        large_cost REAL NOT NULL, -- USD, had the large model been asked
        ms REAL NOT NULL,
        outcome TEXT NOT NULL, -- 'ok' or the code of what went wrong
        at TEXT NOT NULL
    );
    CREATE INDEX model_uses_by_day ON model_uses (day, persona);
    """,
    """
    ALTER TABLE runs ADD COLUMN roles TEXT NOT NULL DEFAULT 'viewer,operator,approver';
    CREATE INDEX runs_waiting ON runs (created_at) WHERE status = 'waiting';

    -- What a turn needs to go on in the middle. It goes with the end of its run.
    CREATE TABLE checkpoints (
        run_id TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
        data BLOB NOT NULL,
        seq INTEGER NOT NULL, -- the run's last event before it
        at TEXT NOT NULL
    );

    -- Approvals, effects and the audit log name their run and do not refer to it: they outlive a deleted conversation,
    -- without what anybody wrote.
    CREATE TABLE approvals (
        id TEXT PRIMARY KEY,
        run_id TEXT NOT NULL,
        call_id TEXT NOT NULL,
        persona TEXT NOT NULL,
        requester TEXT NOT NULL,
        tool TEXT NOT NULL,
        arguments TEXT NOT NULL, -- JSON
        effect TEXT NOT NULL,
        digest TEXT NOT NULL,
        reason TEXT NOT NULL,
        summary TEXT NOT NULL,
        diff TEXT NOT NULL,
        targets TEXT NOT NULL, -- JSON
        created_at TEXT NOT NULL,
        expires_at TEXT NOT NULL, -- as it was bound by the digest
        deadline INTEGER NOT NULL, -- the same, microseconds since 1970, UTC
        status TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'rejected', 'expired', 'spent', 'void')),
        approver TEXT NOT NULL,
        decided_at TEXT NOT NULL,
        comment TEXT NOT NULL,
        UNIQUE (run_id, call_id)
    );
    CREATE INDEX approvals_by_time ON approvals (created_at);
    CREATE INDEX approvals_open ON approvals (deadline) WHERE status IN ('pending', 'approved');

    -- The journal: a row is the intent, its outcome is empty until it is known.
    CREATE TABLE effects (
        key TEXT PRIMARY KEY,
        run_id TEXT NOT NULL,
        call_id TEXT NOT NULL,
        persona TEXT NOT NULL,
        requester TEXT NOT NULL,
        tool TEXT NOT NULL,
        arguments TEXT NOT NULL, -- JSON
        digest TEXT NOT NULL, -- of the arguments
        targets TEXT NOT NULL, -- JSON
        approval TEXT NOT NULL,
        approver TEXT NOT NULL,
        comment TEXT NOT NULL,
        begun_at TEXT NOT NULL,
        outcome TEXT NOT NULL CHECK (outcome IN ('', 'done', 'not_done', 'unknown')),
        result TEXT, -- JSON
        ended_at TEXT NOT NULL,
        forgotten INTEGER NOT NULL DEFAULT 0 -- 1 when its conversation was deleted
    );
    CREATE INDEX effects_by_run ON effects (run_id);

    CREATE TABLE audit (
        seq INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        kind TEXT NOT NULL,
        details TEXT NOT NULL, -- JSON
        previous TEXT NOT NULL, -- hash of the row before
        hash TEXT NOT NULL,
        mac TEXT NOT NULL -- of the hash, with the key that is not in here
    );
    CREATE TRIGGER audit_has_no_gaps BEFORE INSERT ON audit
    WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
    CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
    CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
    """,
)


def migrate(connection: sqlite3.Connection, migrations: tuple[str, ...] = MIGRATIONS) -> None:
    """Bring the schema up to date, one transaction a step; `StorageFailed` when it is newer than this program."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(migrations):
        raise StorageFailed(
            f"the run database has schema version {version}, this program knows up to {len(migrations)}",
            hint="start the newer agent-gateway that wrote it, or choose another --data-dir",
        )
    for number, script in enumerate(migrations[version:], start=version + 1):
        try:
            connection.executescript(f"BEGIN IMMEDIATE;\n{script};\nPRAGMA user_version = {number};\nCOMMIT;")
        finally:
            # Only after a failure is the transaction still open.
            connection.rollback()
