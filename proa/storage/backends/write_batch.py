"""What a batch of writes does to the log: each write is checked against the state that the writes before it leave, as if it stood
alone.

Pure, so that group commit changes when writes become durable and nothing else.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import NamedTuple

from proa.lib.dataclass import dataclass
from proa.storage.interface import KeyExists, RevisionConflict

CREATE = 0
"""The expected revision of a key that must not be there."""


class Head(NamedTuple):
    """Where a key stands."""

    revision: int
    create_revision: int


class Write(NamedTuple):
    """A write that waits for its batch. `value` None is a delete."""

    key: str
    value: bytes | None
    expected_revision: int
    answer: "asyncio.Future[int]"


class Row(NamedTuple):
    """One revision in the log. `previous` is the revision that it replaces, 0 if none; `value` None is a delete."""

    revision: int
    key: str
    create_revision: int
    previous: int
    value: bytes | None


@dataclass(slots=True)
class Plan:
    """`outcomes` has, for each write in order, its revision or what refuses it; `heads` what changes (None: the key is gone)."""

    rows: list[Row] = field(default_factory=list)
    outcomes: list[int | KeyExists | RevisionConflict] = field(default_factory=list)
    heads: dict[str, Head | None] = field(default_factory=dict)


def plan_batch(writes: Sequence[Write], heads: Mapping[str, Head], revision: int) -> Plan:
    """`revision` is the newest so far. A conflict's `current` is left to be looked up by who answers."""
    plan = Plan()
    for key, value, expected, _ in writes:
        head = plan.heads[key] if key in plan.heads else heads.get(key)
        if (head.revision if head else CREATE) != expected:
            plan.outcomes.append(RevisionConflict(None) if expected else KeyExists(key))
            continue
        revision += 1
        create_revision = head.create_revision if head else revision
        plan.rows.append(Row(revision, key, create_revision, expected, value))
        plan.outcomes.append(revision)
        plan.heads[key] = None if value is None else Head(revision, create_revision)
    return plan
