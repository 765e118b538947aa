-- Where the secrets are kept, once there is one: one row at most.
CREATE TABLE secret_home (
    one BIGINT PRIMARY KEY NOT NULL CHECK (one = 1),
    backend TEXT COLLATE "C" NOT NULL,
    env TEXT COLLATE "C" NOT NULL
);
-- Of secrets that are kept already their paths tell, if they all stand under one env; of those outside nothing does.
INSERT INTO secret_home (one, backend, env)
SELECT DISTINCT 1, 'database', split_part(path, '/', 2) FROM sealed_secrets
WHERE (SELECT COUNT(DISTINCT split_part(path, '/', 2)) FROM sealed_secrets) = 1
AND NOT EXISTS (
    SELECT 1 FROM integrations WHERE secret_versions <> '{}' AND id NOT IN (SELECT integration_id FROM sealed_secrets)
);
-- What is searched has one small sigma, where a word's last was another before. Other encodings may have neither.
DO $$ BEGIN
    IF current_setting('server_encoding') = 'UTF8' THEN
        UPDATE integrations SET search_text = replace(search_text, chr(962), chr(963))
        WHERE strpos(search_text, chr(962)) > 0;
    END IF;
END $$;
