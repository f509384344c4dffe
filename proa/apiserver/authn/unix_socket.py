"""Who stands at the other end of the Unix socket: whoever the headers say, as only root can open it.

A peer without X-Remote-User is root itself, a member of system:masters: the operator with `curl --unix-socket`.
"""

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
        groups = request.headers.get(GROUP_HEADER, "")
        return User(name, tuple(group.strip() for group in groups.split(",") if group.strip()))
