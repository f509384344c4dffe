"""Static tokens (--token-auth-file): lines of `token,user,uid` and optionally `"group1,group2"`, read once at start."""

import csv
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from proa.apiserver.authn.token import Identified
from proa.apiserver.interface import User

log = logging.getLogger(__name__)


class TokenFileAuthenticator:
    def __init__(self, users: dict[str, User]) -> None:
        self._users = users

    async def authenticate_token(self, token: str, audiences: Sequence[str]) -> Identified | None:
        user = self._users.get(token)
        return Identified(user) if user else None


def load_token_file(path: Path) -> TokenFileAuthenticator:
    """Raises OSError, ValueError."""
    with path.open(newline="") as file:
        try:
            return TokenFileAuthenticator(read_tokens(csv.reader(file, skipinitialspace=True)))
        except ValueError as error:
            raise ValueError(f"token file '{path}' {error}") from None


def read_tokens(lines: Iterable[Sequence[str]]) -> dict[str, User]:
    users: dict[str, User] = {}
    for number, line in enumerate((line for line in lines if line and not line[0].startswith("#")), 1):
        if len(line) < 3:
            raise ValueError(f"must have at least 3 columns (token, user name, user uid), found {len(line)}")
        if not line[0]:
            log.warning("empty token has been found in token file, record number '%d'", number)
            continue
        if line[0] in users:
            log.warning("duplicate token has been found in token file, record number '%d'", number)
        groups = tuple(group for group in (line[3].split(",") if len(line) > 3 else ()) if group)
        users[line[0]] = User(line[1], groups, line[2])
    return users
