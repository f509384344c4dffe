"""Who stands at the other end of the Unix socket: whoever the headers say, as only root can open it.

A peer without X-Remote-User is root itself, a member of system:masters: the operator with `curl --unix-socket`.
"""

import functools

from proa.apiserver.interface import MASTERS_GROUP, User
from proa.lib.http.message import Request

PEER = "unix"
USER_HEADER = "x-remote-user"
GROUP_HEADER = "x-remote-group"
ROOT = User("system:root", (MASTERS_GROUP,))


class UnixSocketAuthenticator:
    async def authenticate(self, request: Request) -> User | None:
        if request.peer != PEER:
            return None
        name = request.headers.get(USER_HEADER, "")
        if not name:
            return ROOT if "authorization" not in request.headers else None
        return _user(name, request.headers.get(GROUP_HEADER, ""))


@functools.lru_cache(1024)
def _user(name: str, groups: str) -> User:
    return User(name, tuple(group.strip() for group in groups.split(",") if group.strip()))
