-- Where the secrets are kept, once there is one: one row at most.
CREATE TABLE secret_home (
    one BIGINT PRIMARY KEY NOT NULL CHECK (one = 1),
    backend TEXT COLLATE "C" NOT NULL,
    env TEXT COLLATE "C" NOT NULL
);
-- Of secrets that are kept already their path tells; of those outside nothing does.
INSERT INTO secret_home (one, backend, env)
SELECT 1, 'database', split_part(path, '/', 2) FROM sealed_secrets LIMIT 1;
-- What is searched has one small sigma, where a word's last was another before. Other encodings may have neither.
DO $$ BEGIN
    IF current_setting('server_encoding') = 'UTF8' THEN
        UPDATE integrations SET search_text = replace(search_text, chr(962), chr(963))
        WHERE strpos(search_text, chr(962)) > 0;
    END IF;
END $$;
