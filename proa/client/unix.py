"""The client of the control plane's own parts: over a Unix socket, stating who it is, since only root can open that socket."""

from collections.abc import Sequence
from pathlib import Path

from proa.client.transport import HttpTransport, user_headers
from proa.client.verbs import VerbClient
from proa.lib.http.client import Endpoint, HttpClient


class UnixClient(VerbClient):
    def __init__(self, path: Path | str, user: str, groups: Sequence[str] = (), *, timeout: float = 60.0) -> None:
        http = HttpClient(Endpoint(unix_path=str(path)), timeout=timeout)
        super().__init__(HttpTransport(http, user_headers(user, groups)), user_agent=user.rpartition(":")[2] or "proa")
