-- The database of lektd. One section a migration: user_version is the number of the last one that was applied.
-- A section that has been released is never edited; a change of the schema is a new section at the end.
--
-- Tables are the program's and end in _record. Views are the operators', and need no knowledge of the program.
-- Comments within a statement stay in the database: `.schema` in the sqlite3 shell shows them.

-- migration 1: clients, changes, the server's state

CREATE TABLE client_record (
  -- One row an address: its newest change. The program reads it back in the order of the sequence.
  sequence INTEGER PRIMARY KEY,      -- of the address's newest change
  address  INTEGER NOT NULL UNIQUE   -- IPv4, 127.0.0.1 is 2130706433
           CHECK (address BETWEEN 1 AND 4294967295),
  present  INTEGER NOT NULL CHECK (present IN (0, 1)),  -- 0: removed, and remembered until the retention is over
  second   INTEGER NOT NULL,         -- of the newest change, Unix seconds, never descends with the sequence
  since    INTEGER NOT NULL,         -- second in which it became present
  methods  TEXT NOT NULL,            -- in words, at most 500 characters; of a removed client: the last known
  record   BLOB NOT NULL,            -- ClientRecord of records.proto; empty if removed
  sessions INTEGER NOT NULL,         -- counts only in the run below
  run      INTEGER NOT NULL,         -- run of the server in which it was last here; 0: none
  heard    INTEGER NOT NULL          -- second of the last heartbeat or join, written every few seconds
) STRICT;

-- Finds the removals that the retention lets go.
CREATE INDEX removed_by_second ON client_record (second) WHERE present = 0;

CREATE TABLE change_record (
  -- The newest 10,000 changes, for operators: the program never reads them.
  sequence INTEGER PRIMARY KEY,
  second   INTEGER NOT NULL,         -- Unix seconds
  kind     TEXT NOT NULL CHECK (kind IN ('added', 'changed', 'removed')),
  address  INTEGER NOT NULL,
  methods  TEXT NOT NULL             -- in words, at most 500 characters; empty for a removal
) STRICT;

CREATE TABLE server_record (
  -- One row.
  only_row           INTEGER PRIMARY KEY CHECK (only_row = 1),
  second             INTEGER NOT NULL,  -- the newest second that was given out or reserved; never goes back
  sequence           INTEGER NOT NULL,  -- of the newest change
  history_begins     INTEGER NOT NULL,  -- a client can resume from this second or a later one
  forgotten_sequence INTEGER NOT NULL,  -- of the newest removal that was forgotten
  version            TEXT NOT NULL,     -- of the program that runs, or ran last
  created            INTEGER NOT NULL,  -- second in which the database was made
  started            INTEGER NOT NULL,  -- second of the last start
  stopped            INTEGER,           -- second of the clean stop; null while it runs and after a crash
  run                INTEGER NOT NULL   -- starts so far
) STRICT;

CREATE VIEW clients AS
  -- Who is here. connected: has a session. waiting: the server has stopped, or it has started again and this client
  -- has not come back yet (it is removed when the restart grace is over).
  SELECT (address >> 24) || '.' || (address >> 16 & 255) || '.' || (address >> 8 & 255) || '.' || (address & 255)
           AS address,
         iif(length(methods) > 40, substr(methods, 1, 37) || '...', methods) AS methods,
         iif(run = (SELECT run FROM server_record WHERE stopped IS NULL), sessions, 0) AS sessions,
         iif(run = (SELECT run FROM server_record WHERE stopped IS NULL) AND sessions > 0, 'connected', 'waiting')
           AS status,
         datetime(since, 'unixepoch') AS since,
         datetime(nullif(heard, 0), 'unixepoch') AS last_heard
    FROM client_record WHERE present = 1 ORDER BY client_record.address;

CREATE VIEW methods AS
  -- Who offers what: one row a client and method, sorted by method.
  SELECT (address >> 24) || '.' || (address >> 16 & 255) || '.' || (address >> 8 & 255) || '.' || (address & 255)
           AS address,
         substr(value, 1, instr(value, ':') - 1) AS method,
         substr(value, instr(value, ':') + 1, 60) AS information
    FROM client_record, json_each('["' || replace(methods, ' ', '","') || '"]')
   WHERE present = 1 AND methods <> '' ORDER BY method, client_record.address;

CREATE VIEW removed AS
  -- Who was here: removed clients that are still remembered, the newest first.
  SELECT (address >> 24) || '.' || (address >> 16 & 255) || '.' || (address >> 8 & 255) || '.' || (address & 255)
           AS address,
         iif(length(methods) > 40, substr(methods, 1, 37) || '...', methods) AS last_methods,
         datetime(since, 'unixepoch') AS since,
         datetime(second, 'unixepoch') AS removed_at
    FROM client_record WHERE present = 0 ORDER BY sequence DESC;

CREATE VIEW changes AS
  -- What happened: the newest 10,000 changes, the newest first.
  SELECT sequence,
         datetime(second, 'unixepoch') AS time,
         kind,
         (address >> 24) || '.' || (address >> 16 & 255) || '.' || (address >> 8 & 255) || '.' || (address & 255)
           AS address,
         iif(length(methods) > 40, substr(methods, 1, 37) || '...', methods) AS methods
    FROM change_record ORDER BY change_record.sequence DESC;

CREATE VIEW server AS
  -- The server's own state, one row.
  SELECT version,
         datetime(started, 'unixepoch') AS started,
         coalesce(datetime(stopped, 'unixepoch'), 'running or crashed') AS stopped,
         datetime(history_begins, 'unixepoch') AS history_begins,
         sequence AS newest_change,
         (SELECT count(*) FROM client_record WHERE present = 1) AS clients,
         (SELECT count(*) FROM client_record AS client
            WHERE present = 1 AND sessions > 0 AND client.run = server_record.run AND stopped IS NULL) AS connected,
         (SELECT count(*) FROM client_record WHERE present = 0) AS removed
    FROM server_record;

-- migration 2: codes and warnings

CREATE TABLE code_record (
  -- How often each code was given to a client, since the database was made.
  code   INTEGER PRIMARY KEY,  -- 404 is E404 (docs/errors.md)
  count  INTEGER NOT NULL,
  second INTEGER NOT NULL      -- of the last time, Unix seconds
) STRICT;

CREATE TABLE warning_record (
  -- What is wrong with the server now. Emptied at each start.
  code    INTEGER PRIMARY KEY,
  second  INTEGER NOT NULL,    -- since when, Unix seconds
  message TEXT NOT NULL
) STRICT;

CREATE VIEW codes AS
  -- Whom the server had to refuse, hold back or let go: how often each code was given, the latest first.
  SELECT 'E' || code AS code, count, datetime(second, 'unixepoch') AS last
    FROM code_record ORDER BY second DESC, code_record.code;

CREATE VIEW warnings AS
  -- What is wrong with the server now; empty when nothing is.
  SELECT 'E' || code AS code, datetime(second, 'unixepoch') AS since, message
    FROM warning_record ORDER BY second DESC;

-- migration 3: bans

CREATE TABLE ban_record (
  -- Whom the operator has banned. The program reads it at each start.
  address INTEGER NOT NULL CHECK (address BETWEEN 0 AND 4294967295),  -- the first of the block
  prefix  INTEGER NOT NULL CHECK (prefix BETWEEN 0 AND 32),           -- bits that are the same in the whole block
  second  INTEGER NOT NULL,    -- since when, Unix seconds
  reason  TEXT NOT NULL,       -- in the operator's words; may be empty
  PRIMARY KEY (address, prefix)
) STRICT;

CREATE VIEW bans AS
  -- Whom the server does not serve until `lektctl unban`, the latest first.
  SELECT (address >> 24) || '.' || (address >> 16 & 255) || '.' || (address >> 8 & 255) || '.' || (address & 255)
           || iif(prefix = 32, '', '/' || prefix) AS block,
         datetime(second, 'unixepoch') AS since,
         reason
    FROM ban_record ORDER BY second DESC, ban_record.address;

-- migration 4: reasons of removals, ends of bans

ALTER TABLE client_record ADD COLUMN
  reason TEXT NOT NULL DEFAULT '';   -- why it was removed, as in change_record; empty while it is present

ALTER TABLE change_record ADD COLUMN
  reason TEXT NOT NULL DEFAULT '';   -- of a removal: closed, lost, not back, or a code such as E301; empty: not known

ALTER TABLE ban_record ADD COLUMN
  until INTEGER;                     -- the first second, Unix time, in which it holds no longer; null: without end

DROP VIEW removed;
CREATE VIEW removed AS
  -- Who was here: removed clients that are still remembered, the newest first.
  -- reason: closed (by the client), lost (the connection broke), not back (after a restart), or the server's code.
  SELECT (address >> 24) || '.' || (address >> 16 & 255) || '.' || (address >> 8 & 255) || '.' || (address & 255)
           AS address,
         iif(length(methods) > 40, substr(methods, 1, 37) || '...', methods) AS last_methods,
         datetime(since, 'unixepoch') AS since,
         datetime(second, 'unixepoch') AS removed_at,
         reason
    FROM client_record WHERE present = 0 ORDER BY sequence DESC;

DROP VIEW changes;
CREATE VIEW changes AS
  -- What happened: the newest 10,000 changes, the newest first. reason: of a removal, as in the view removed.
  SELECT sequence,
         datetime(second, 'unixepoch') AS time,
         kind,
         (address >> 24) || '.' || (address >> 16 & 255) || '.' || (address >> 8 & 255) || '.' || (address & 255)
           AS address,
         iif(length(methods) > 40, substr(methods, 1, 37) || '...', methods) AS methods,
         reason
    FROM change_record ORDER BY change_record.sequence DESC;

DROP VIEW bans;
CREATE VIEW bans AS
  -- Whom the server does not serve until the time in `until`, or until `lektctl unban`; the latest first.
  SELECT (address >> 24) || '.' || (address >> 16 & 255) || '.' || (address >> 8 & 255) || '.' || (address & 255)
           || iif(prefix = 32, '', '/' || prefix) AS block,
         datetime(second, 'unixepoch') AS since,
         datetime(until, 'unixepoch') AS until,
         reason
    FROM ban_record ORDER BY second DESC, ban_record.address;

-- migration 5: devices

CREATE TABLE device_record (
  -- One row a hand-held terminal. For operators: the program never reads it. At most 100,000; forgotten after the
  -- retention, the one first that was seen longest ago.
  uid          TEXT PRIMARY KEY NOT NULL,  -- what the device calls itself: a name, and no proof
  string       TEXT NOT NULL,     -- all that it says of itself, as the newest packet 6 had it
  type         TEXT NOT NULL,     -- what the string says
  version      TEXT NOT NULL,
  system       TEXT NOT NULL,
  rows         INTEGER NOT NULL,  -- of its screen
  columns      INTEGER NOT NULL,
  address      INTEGER NOT NULL,  -- of its newest registration, as in client_record
  device_group TEXT NOT NULL,     -- whose settings it has
  first_seen   INTEGER NOT NULL,  -- Unix seconds
  seen         INTEGER NOT NULL,  -- second in which it was seen last, written every few seconds
  sessions     INTEGER NOT NULL   -- that it has begun since it was seen first
) STRICT;

-- Finds the devices that the retention lets go, and those that have no room any more.
CREATE INDEX device_by_seen ON device_record (seen);

CREATE TABLE device_session_record (
  -- One row a session of a device. Emptied at each start: sessions end with the server.
  number       INTEGER PRIMARY KEY,  -- as in `lektctl devices`; never used twice in a run of the server
  uid          TEXT NOT NULL,
  address      INTEGER NOT NULL,     -- where its registration is, or the last one was
  port         INTEGER NOT NULL,     -- the server's port for it; 0: it has no registration
  client_port  INTEGER NOT NULL,     -- the device's own
  device_group TEXT NOT NULL,
  state        TEXT NOT NULL,        -- in words, as in `lektctl devices`
  dtls         INTEGER NOT NULL CHECK (dtls IN (0, 1)),
  began        INTEGER NOT NULL,     -- Unix seconds
  heard        INTEGER NOT NULL      -- second in which the device was heard last, written every few seconds
) STRICT;

CREATE TABLE device_alert_record (
  -- The newest 1,000 alerts.
  number  INTEGER PRIMARY KEY,  -- ascending
  second  INTEGER NOT NULL,     -- Unix seconds
  code    INTEGER NOT NULL,     -- 918 is E918 (docs/errors.md)
  address INTEGER NOT NULL,
  uid     TEXT NOT NULL,        -- empty if it is not known
  message TEXT NOT NULL
) STRICT;

CREATE VIEW devices AS
  -- Which devices have been here, the one first that was seen last.
  SELECT uid, type, version, device_group,
         (address >> 24) || '.' || (address >> 16 & 255) || '.' || (address >> 8 & 255) || '.' || (address & 255)
           AS address,
         sessions,
         datetime(first_seen, 'unixepoch') AS first_seen,
         datetime(seen, 'unixepoch') AS last_seen
    FROM device_record ORDER BY seen DESC, device_record.uid;

CREATE VIEW device_sessions AS
  -- Who works on a device now; nobody if the server has stopped.
  SELECT number, uid,
         (address >> 24) || '.' || (address >> 16 & 255) || '.' || (address >> 8 & 255) || '.' || (address & 255)
           AS address,
         nullif(port, 0) AS port, device_group, state,
         iif(dtls, 'yes', 'no') AS dtls,
         datetime(began, 'unixepoch') AS since,
         datetime(heard, 'unixepoch') AS last_heard
    FROM device_session_record
   WHERE (SELECT stopped FROM server_record) IS NULL ORDER BY device_session_record.number;

CREATE VIEW device_alerts AS
  -- What an operator should know of devices: the newest 1,000 alerts, the newest first.
  SELECT datetime(second, 'unixepoch') AS time,
         'E' || code AS code,
         (address >> 24) || '.' || (address >> 16 & 255) || '.' || (address >> 8 & 255) || '.' || (address & 255)
           AS address,
         uid, message
    FROM device_alert_record ORDER BY number DESC;

-- migration 6: the identity of the change log

ALTER TABLE server_record ADD COLUMN
  identity BLOB CHECK (length(identity) = 16);  -- random, made once; null before the first start that gives one

CREATE VIEW log AS
  -- The change log, one row. identity: which log clients' timestamps belong to; the same ever after.
  SELECT lower(hex(identity)) AS identity,
         datetime(created, 'unixepoch') AS created,
         datetime(history_begins, 'unixepoch') AS history_begins,
         sequence AS newest_change
    FROM server_record;
