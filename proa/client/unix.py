"""The client of the control plane's own parts: over a Unix socket, stating who it is, since only root can open that socket."""

from collections.abc import Sequence
from pathlib import Path

from proa.client.transport import HttpTransport, user_headers
from proa.client.verbs import VerbClient
from proa.lib.http.client import Endpoint, HttpClient


class UnixClient(VerbClient):
    """The user agent names the field manager of plain writes; by default it is the last part of the user's name."""

    def __init__(self, path: Path | str, user: str, groups: Sequence[str] = (), *, timeout: float = 60.0, user_agent: str = "") -> None:
        http = HttpClient(Endpoint(unix_path=str(path)), timeout=timeout)
        super().__init__(HttpTransport(http, user_headers(user, groups)), user_agent=user_agent or user.rpartition(":")[2] or "proa")
