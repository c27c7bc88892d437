-- The claim store of one machine. Columns beside `item` are for queries only.

CREATE TABLE IF NOT EXISTS claims (
    incident   TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,
    outcome    TEXT,
    stand_down INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    item       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS open_claims ON claims (owner, stand_down) WHERE outcome IS NULL;
CREATE INDEX IF NOT EXISTS released_claims ON claims (incident)
    WHERE outcome IS NULL AND item ->> '$.released' = 1;
CREATE TABLE IF NOT EXISTS heartbeats (
    owner  TEXT PRIMARY KEY,
    number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Since version 2.
CREATE TABLE IF NOT EXISTS ledger (
    name       TEXT PRIMARY KEY,
    changed_at INTEGER NOT NULL,
    item       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
