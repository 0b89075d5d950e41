-- What `respond watch` decided about each finding, so that none is acted on twice and none is lost. `state` is told, planned,
-- acted or retry; `at` is when it was decided, `next` when it is tried again (RFC 3339). No secret is in it.
CREATE TABLE watched (
    detector    TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    state       TEXT NOT NULL,
    why         TEXT NOT NULL,
    digest      TEXT NOT NULL,
    account     TEXT NOT NULL,
    attempts    INTEGER NOT NULL,
    at          TEXT NOT NULL,
    next        TEXT NOT NULL,
    PRIMARY KEY (detector, fingerprint)
) STRICT, WITHOUT ROWID;
