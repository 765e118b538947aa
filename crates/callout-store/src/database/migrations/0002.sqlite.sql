-- Where the secrets are kept, once there is one: one row at most.
CREATE TABLE secret_home (
    one INTEGER PRIMARY KEY NOT NULL CHECK (one = 1),
    backend TEXT NOT NULL,
    env TEXT NOT NULL
) STRICT;
-- Of secrets that are kept already their paths tell, if they all stand under one env; of those outside nothing does.
INSERT INTO secret_home (one, backend, env)
SELECT DISTINCT 1, 'database', substr(path, 2, instr(substr(path, 2), '/') - 1) FROM sealed_secrets
WHERE (SELECT COUNT(DISTINCT substr(path, 2, instr(substr(path, 2), '/') - 1)) FROM sealed_secrets) = 1
AND NOT EXISTS (
    SELECT 1 FROM integrations WHERE secret_versions <> '{}' AND id NOT IN (SELECT integration_id FROM sealed_secrets)
);
-- What is searched has one small sigma, where a word's last was another before.
UPDATE integrations SET search_text = replace(search_text, char(962), char(963))
WHERE instr(search_text, char(962)) > 0;
