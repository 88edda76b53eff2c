"""The tables of a sandbox org.

All state is here, so that an org outlives its process and several processes may serve one file.
Times are seconds since the epoch (UTC). Columns named ``previous`` hold what readers still see
until ``visible_at`` (delayed operations) or until that plus the list lag (eventually consistent lists).
"""

from __future__ import annotations

SCHEMA_VERSION = 3

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE clients (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, secret TEXT NOT NULL, name TEXT NOT NULL, user_id TEXT
);

CREATE TABLE tokens (
    token TEXT PRIMARY KEY, client_id TEXT NOT NULL, expires REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE token_calls (token TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX token_calls_by_token ON token_calls (token, at);

CREATE TABLE objects (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    division_id TEXT,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL,
    created REAL NOT NULL,
    modified REAL NOT NULL,
    created_by TEXT,
    modified_by TEXT,
    previous TEXT,
    visible_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX objects_by_kind ON objects (kind, name);

CREATE TABLE flows (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    description TEXT NOT NULL,
    division_id TEXT NOT NULL,
    locked_client TEXT,
    locked_user TEXT,
    active INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    published_version INTEGER,
    saved_version INTEGER,
    checked_in_version INTEGER,
    operation TEXT,
    created REAL NOT NULL,
    modified REAL NOT NULL,
    previous TEXT,
    visible_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX flows_by_name ON flows (name, type);

CREATE TABLE flow_versions (
    flow_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    type TEXT NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    traits TEXT NOT NULL,
    resolved TEXT NOT NULL,
    client_id TEXT,
    user_id TEXT,
    created REAL NOT NULL,
    checked_in REAL,
    published REAL,
    published_end REAL,
    PRIMARY KEY (flow_id, number)
) WITHOUT ROWID;

CREATE TABLE dependencies (
    consumer_id TEXT NOT NULL,
    consumer_version INTEGER NOT NULL,
    consumer_type TEXT NOT NULL,
    target_id TEXT NOT NULL,
    target_type TEXT NOT NULL,
    target_version INTEGER
);
CREATE INDEX dependencies_by_consumer ON dependencies (consumer_id, consumer_version);
CREATE INDEX dependencies_by_target ON dependencies (target_id);

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    request TEXT NOT NULL,
    signature TEXT NOT NULL,
    status TEXT NOT NULL,
    messages TEXT NOT NULL,
    flow_id TEXT,
    created REAL NOT NULL,
    started REAL,
    done REAL
) WITHOUT ROWID;

CREATE TABLE table_rows (
    table_id TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (table_id, key)
) WITHOUT ROWID;

CREATE TABLE faults (
    id INTEGER PRIMARY KEY AUTOINCREMENT, rule TEXT NOT NULL, seen INTEGER NOT NULL, remaining INTEGER
);

CREATE TABLE audits (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    at REAL NOT NULL,
    service TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    entity_name TEXT NOT NULL,
    action TEXT NOT NULL,
    user_id TEXT,
    client_id TEXT,
    version INTEGER,
    changes TEXT NOT NULL
);
CREATE INDEX audits_by_time ON audits (at);
CREATE INDEX audits_by_entity ON audits (entity_id);

CREATE TABLE executions (
    id TEXT PRIMARY KEY,
    name TEXT,
    flow_id TEXT NOT NULL,
    flow_version INTEGER NOT NULL,
    launched REAL NOT NULL,
    done REAL NOT NULL,
    outcome TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    flow_id TEXT NOT NULL,
    flow_name TEXT NOT NULL,
    flow_type TEXT NOT NULL,
    flow_version TEXT NOT NULL,
    division_id TEXT NOT NULL,
    media_type TEXT NOT NULL,
    started REAL NOT NULL,
    milliseconds INTEGER NOT NULL,
    exit_reason TEXT NOT NULL,
    flow_outcome_id TEXT,
    flow_outcome_value TEXT
) WITHOUT ROWID;
CREATE INDEX conversations_by_time ON conversations (started);

CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
