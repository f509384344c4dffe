"""/livez, /readyz and /healthz: named checks, each with its own path, `?verbose` and `?exclude=NAME`, in kube-apiserver's words."""

import logging
from collections.abc import Callable, Mapping

from proa.lib.http.message import Request, Response

log = logging.getLogger(__name__)

Check = Callable[[], str]
"""What is wrong; "" if nothing."""
HEADERS = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}


class Health:
    """The checks behind one of the three paths."""

    def __init__(self, name: str, checks: Mapping[str, Check]) -> None:
        self.name = name
        self._checks = checks

    def answer(self, request: Request, check: str = "") -> Response | None:
        """None for a check that doesn't exist."""
        if not check:
            return self._all(request)
        if check not in self._checks:
            return None
        problem = self._checks[check]()
        if problem:
            return Response(500, dict(HEADERS), f"internal server error: {problem}\n".encode())
        return Response(200, dict(HEADERS), b"ok")

    def _all(self, request: Request) -> Response:
        excluded = set(request.query.get("exclude", ()))
        lines, failed = [], []
        for name, check in self._checks.items():
            if name in excluded:
                lines.append(f"[+]{name} excluded: ok")
                continue
            problem = check()
            if problem:
                log.warning("%s check %s failed: %s", self.name, name, problem)
                failed.append(name)
            lines.append(f"[-]{name} failed: reason withheld" if problem else f"[+]{name} ok")
        unknown = sorted(excluded - set(self._checks))
        if unknown:
            quoted = ",".join(f'"{name}"' for name in unknown)
            lines.append(f"warn: some health checks cannot be excluded: no matches for {quoted}")
        if failed:
            return Response(500, dict(HEADERS), "\n".join([*lines, f"{self.name} check failed\n"]).encode())
        if "verbose" not in request.query:
            return Response(200, dict(HEADERS), b"ok")
        return Response(200, dict(HEADERS), "\n".join([*lines, f"{self.name} check passed\n"]).encode())
