"""A handler that does nothing behind the API server's own HTTP server and TLS: what the transport alone costs, and how fast the machine is.

`python -m benchmarks.bare_server PORT DIRECTORY` serves with the certificates of an installation in DIRECTORY.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.api_server import PATIENCE, free_port, installation, stop
from benchmarks.target import Target, wait_until_ready
from proa.lib.http.message import Request, Response
from proa.lib.http.server import HttpServer
from proa.lib.http.server_options import ServerOptions
from proa.lib.http.tls import server_context

BODY = b'{"padding":"' + b"x" * 2500 + b'"}'


@contextmanager
def running() -> Iterator[Target]:
    with installation() as installed:
        port = free_port()
        process = subprocess.Popen([sys.executable, "-m", "benchmarks.bare_server", str(port), str(installed.paths.pki)])
        try:
            url = f"https://127.0.0.1:{port}"
            wait_until_ready(url, time.monotonic() + PATIENCE)
            yield Target("bare handler", url, "x" * 900, process.pid)
        finally:
            stop(process)


async def _handle(request: Request) -> Response:
    return Response(200, {"content-type": "application/json", "cache-control": "no-cache, private"}, BODY)


async def _serve(port: int, pki: Path) -> None:
    server = HttpServer(_handle, ServerOptions(eager_get=True))
    await server.listen("127.0.0.1", port, server_context(pki / "apiserver.crt", pki / "apiserver.key", pki / "ca.crt"))
    await asyncio.Event().wait()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
