-- Where the secrets are kept, once there is one: one row at most.
CREATE TABLE secret_home (
    one BIGINT PRIMARY KEY NOT NULL CHECK (one = 1),
    backend TEXT COLLATE "C" NOT NULL,
    env TEXT COLLATE "C" NOT NULL
);
-- Of secrets that are kept already their path tells; of those outside nothing does.
INSERT INTO secret_home (one, backend, env)
SELECT 1, 'database', split_part(path, '/', 2) FROM sealed_secrets LIMIT 1;
