-- What providers said, for a while. `question` is a SHA-256 over detector, parts (as fingerprints) and address; `checked` is
-- a finding's liveness as in schema staunch.finding/1. Neither holds a secret. `asked` is in seconds since 1970.
CREATE TABLE answer (
    question    TEXT NOT NULL PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    asked       INTEGER NOT NULL,
    checked     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX answer_fingerprint ON answer (fingerprint);
