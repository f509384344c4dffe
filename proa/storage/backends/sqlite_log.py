"""The revision log as a SQLite table: one row per revision, appended in order; what a row replaced is named in it.

Every statement that runs on the writer's connection is one call: `execute` gives the interpreter lock up and must win it back each time,
which under load can take milliseconds, so a whole batch is one INSERT of many rows, which in autocommit mode is also its transaction.
"""

import os
import sqlite3
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from proa.storage.backends.write_batch import Head, Row
from proa.storage.interface import Change, Record
from proa.storage.sorted_keys import prefix_end

FORMAT = 1
LAST_KEY = "\U0010ffff"

SCHEMA = """
CREATE TABLE log (
    revision INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    create_revision INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    written_at INTEGER NOT NULL,
    value BLOB
) STRICT;
CREATE INDEX log_by_key ON log (key);
CREATE TABLE mark (name TEXT PRIMARY KEY, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO mark VALUES ('compacted', 0), ('scrubbed', 0);
"""

NEWEST_AT = """
SELECT key, value, revision, create_revision FROM log AS own INDEXED BY log_by_key
WHERE key >= :first AND key < :end AND revision <= :revision
  AND revision = (SELECT max(revision) FROM log WHERE key = own.key AND revision <= :revision)
  AND value IS NOT NULL
ORDER BY key LIMIT :limit
"""

ONE_AT = """
SELECT key, value, revision, create_revision FROM log INDEXED BY log_by_key
WHERE key = ? AND revision <= ? ORDER BY revision DESC LIMIT 1
"""

CHANGES = """
SELECT own.revision, own.key, own.value, own.create_revision, old.revision, old.value, old.create_revision
FROM log AS own LEFT JOIN log AS old ON old.revision = own.previous
WHERE own.revision > ? AND own.revision <= ? AND +own.key >= ? AND +own.key < ?
ORDER BY own.revision
"""

SCRUB = """
DELETE FROM log WHERE revision IN (
    SELECT previous FROM log WHERE revision > :after AND revision <= :until AND previous > 0
    UNION ALL SELECT revision FROM log WHERE revision > :after AND revision <= :until AND value IS NULL
)
"""


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode, durable at each statement's end; only the owner may read the file."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=80)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 2000")
    connection.execute(f"PRAGMA journal_size_limit = {64 << 20}")
    connection.execute("PRAGMA cache_size = -4096")
    return connection


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables of a new file; raises ValueError for a file of another format."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
    elif version != FORMAT:
        raise ValueError(f"the store's format is {version}, this version of proa reads {FORMAT}")


def read_marks(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """(newest revision, compaction revision, how far rows have been removed). A compacted deletion may have been the newest row."""
    marks = dict(connection.execute("SELECT name, revision FROM mark").fetchall())
    (newest,) = connection.execute("SELECT coalesce(max(revision), 0) FROM log").fetchone()
    return max(newest, marks["compacted"]), marks["compacted"], marks["scrubbed"]


def set_mark(connection: sqlite3.Connection, name: str, revision: int) -> None:
    connection.execute("UPDATE mark SET revision = ? WHERE name = ?", (revision, name))


def read_heads(connection: sqlite3.Connection) -> dict[str, Head]:
    rows = connection.execute("SELECT key, max(revision), create_revision, value IS NULL FROM log GROUP BY key").fetchall()
    return {key: Head(revision, create_revision) for key, revision, create_revision, gone in rows if not gone}


@cache
def _insert(count: int) -> str:
    return "INSERT INTO log (revision, key, create_revision, previous, value, written_at) VALUES " + ", ".join(
        ["(?, ?, ?, ?, ?, ?)"] * count
    )


def append(connection: sqlite3.Connection, rows: Sequence[Row], written_at: int) -> None:
    """Durable when it returns."""
    parameters: list[object] = []
    for row in rows:
        parameters += row
        parameters.append(written_at)
    connection.execute(_insert(len(rows)), parameters)


def scrub(connection: sqlite3.Connection, after: int, until: int) -> None:
    """Remove what the revisions of that range replaced, and their deletions."""
    connection.execute(SCRUB, {"after": after, "until": until})


def read_page(connection: sqlite3.Connection, prefix: str, revision: int, after: str, limit: int) -> list[Record]:
    end = prefix_end(prefix) if prefix else LAST_KEY
    # One lower bound: of two, SQLite takes one to find its place in the index, and reads from the beginning if that is the lower one.
    first = f"{after}\0" if after >= prefix and after else prefix
    values = {"first": first, "end": end, "revision": revision, "limit": limit}
    return [Record(*row) for row in connection.execute(NEWEST_AT, values).fetchall()]


def read_one(connection: sqlite3.Connection, key: str, revision: int) -> Record | None:
    row = connection.execute(ONE_AT, (key, revision)).fetchone()
    return Record(*row) if row and row[1] is not None else None


def read_changes(connection: sqlite3.Connection, prefix: str, after: int, until: int) -> Iterable[Change]:
    end = prefix_end(prefix) if prefix else LAST_KEY
    rows = connection.execute(CHANGES, (after, until, prefix, end)).fetchall()
    return [_change(*row) for row in rows]


def _change(
    revision: int, key: str, value: bytes | None, create_revision: int,
    old_revision: int | None, old_value: bytes, old_create_revision: int,
) -> Change:  # fmt: skip
    previous = None if old_revision is None else Record(key, old_value, old_revision, old_create_revision)
    if value is not None:
        return Change("put", revision, Record(key, value, revision, create_revision), previous)
    return Change("delete", revision, previous or Record(key, b"", revision, create_revision), previous)
