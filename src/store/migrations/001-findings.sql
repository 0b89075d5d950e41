-- One row for each finding. `finding` is schema staunch.finding/1 and holds no secret.
CREATE TABLE finding (
    detector    TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    first_seen  TEXT NOT NULL,
    last_seen   TEXT NOT NULL,
    finding     TEXT NOT NULL,
    PRIMARY KEY (detector, fingerprint)
) STRICT, WITHOUT ROWID;
