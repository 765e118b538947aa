CREATE TABLE workspaces (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE integrations (
    id TEXT PRIMARY KEY NOT NULL,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    search_text TEXT NOT NULL,
    protocol TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    builtin INTEGER NOT NULL,
    config TEXT NOT NULL,
    secret_versions TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (workspace_id, name)
) STRICT;
CREATE INDEX integrations_by_created_at ON integrations (workspace_id, created_at, id);
CREATE INDEX integrations_by_updated_at ON integrations (workspace_id, updated_at, id);

-- One row for each master key that may have sealed something; its check proves the key.
CREATE TABLE master_keys (
    key_id TEXT PRIMARY KEY NOT NULL,
    nonce BLOB NOT NULL,
    ciphertext BLOB NOT NULL,
    current INTEGER NOT NULL
) STRICT;

CREATE TABLE sealed_secrets (
    path TEXT NOT NULL,
    version INTEGER NOT NULL,
    integration_id TEXT NOT NULL REFERENCES integrations (id) ON DELETE CASCADE,
    key_id TEXT NOT NULL REFERENCES master_keys (key_id),
    nonce BLOB NOT NULL,
    ciphertext BLOB NOT NULL,
    PRIMARY KEY (path, version)
) STRICT;
CREATE INDEX sealed_secrets_by_integration ON sealed_secrets (integration_id);
CREATE INDEX sealed_secrets_by_key ON sealed_secrets (key_id);

-- Secrets in a store outside whose state may differ from what the integration names. Outlives the
-- integration, and so has no reference to it.
CREATE TABLE secret_intents (
    integration_id TEXT PRIMARY KEY NOT NULL,
    id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    env TEXT NOT NULL,
    names TEXT NOT NULL,
    started_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY NOT NULL,
    workspace_id TEXT REFERENCES workspaces (id) ON DELETE CASCADE,
    name TEXT,
    role TEXT NOT NULL,
    permissions TEXT NOT NULL,
    hash BLOB NOT NULL,
    days INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    -- 1 for the operator key of the first start, so that several servers make one.
    first_start INTEGER UNIQUE
) STRICT;
CREATE INDEX api_keys_by_created_at ON api_keys (workspace_id, created_at, id);

-- Outlives what it speaks of, and so has no references.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    workspace_id TEXT,
    actor_key_id TEXT,
    actor_name TEXT NOT NULL,
    request_id TEXT,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    result TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_workspace ON audit (workspace_id, id);
CREATE TRIGGER audit_is_not_updated BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
