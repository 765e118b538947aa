-- Text that is compared or sorted is in byte order, as SQLite has it.
CREATE TABLE workspaces (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE integrations (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    workspace_id TEXT COLLATE "C" NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name TEXT COLLATE "C" NOT NULL,
    search_text TEXT NOT NULL,
    protocol TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    builtin BIGINT NOT NULL,
    config TEXT NOT NULL,
    secret_versions TEXT NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (workspace_id, name)
);
CREATE INDEX integrations_by_created_at ON integrations (workspace_id, created_at, id);
CREATE INDEX integrations_by_updated_at ON integrations (workspace_id, updated_at, id);

-- One row for each master key that may have sealed something; its check proves the key.
CREATE TABLE master_keys (
    key_id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    nonce BYTEA NOT NULL,
    ciphertext BYTEA NOT NULL,
    current BIGINT NOT NULL
);

CREATE TABLE sealed_secrets (
    path TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    integration_id TEXT COLLATE "C" NOT NULL REFERENCES integrations (id) ON DELETE CASCADE,
    key_id TEXT COLLATE "C" NOT NULL REFERENCES master_keys (key_id),
    nonce BYTEA NOT NULL,
    ciphertext BYTEA NOT NULL,
    PRIMARY KEY (path, version)
);
CREATE INDEX sealed_secrets_by_integration ON sealed_secrets (integration_id);
CREATE INDEX sealed_secrets_by_key ON sealed_secrets (key_id);

-- Secrets in a store outside whose state may differ from what the integration names. Outlives the
-- integration, and so has no reference to it.
CREATE TABLE secret_intents (
    integration_id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    workspace_id TEXT COLLATE "C" NOT NULL,
    env TEXT NOT NULL,
    names TEXT NOT NULL,
    started_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    workspace_id TEXT COLLATE "C" REFERENCES workspaces (id) ON DELETE CASCADE,
    name TEXT COLLATE "C",
    role TEXT NOT NULL,
    permissions TEXT NOT NULL,
    hash BYTEA NOT NULL,
    days BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    -- 1 for the operator key of the first start, so that several servers make one.
    first_start BIGINT UNIQUE
);
CREATE INDEX api_keys_by_created_at ON api_keys (workspace_id, created_at, id);

-- Outlives what it speaks of, and so has no references.
CREATE TABLE audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at BIGINT NOT NULL,
    workspace_id TEXT COLLATE "C",
    actor_key_id TEXT,
    actor_name TEXT NOT NULL,
    request_id TEXT,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    result TEXT NOT NULL
);
CREATE INDEX audit_by_workspace ON audit (workspace_id, id);
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
