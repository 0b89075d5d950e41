-- Whose a credential is, by a person's word. Rows are never changed but to be withdrawn, and never deleted: who said what
-- is part of the record. `until` is the last day (UTC) on which it holds, YYYY-MM-DD.
CREATE TABLE attestation (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    fingerprint  TEXT NOT NULL,
    edge         TEXT NOT NULL,
    owner        TEXT NOT NULL,
    name         TEXT NOT NULL,
    by           TEXT NOT NULL,
    made         TEXT NOT NULL,
    until        TEXT NOT NULL,
    withdrawn_by TEXT,
    withdrawn_at TEXT
) STRICT;
CREATE INDEX attestation_fingerprint ON attestation (fingerprint);
