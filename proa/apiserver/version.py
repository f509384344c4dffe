"""/version: which Kubernetes API this server speaks, and that it is proa that speaks it."""

import platform

from proa.api.meta import Object
from proa.apiserver.build_commit import build_commit

# Clients match it against [0-9a-f]+; this is git's own way to name no commit.
NO_COMMIT = "0" * 40


def version_document(kubernetes_version: str) -> Object:
    """version.Info; `kubernetes_version` is "1.37"."""
    major, minor = kubernetes_version.split(".")[:2]
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return {
        "major": major,
        "minor": minor,
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": str(int(minor) - 1),
        "gitVersion": f"v{major}.{minor}.0+proa.{_own_version()}",
        "gitCommit": build_commit() or NO_COMMIT,
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": platform.python_implementation().lower(),
        "platform": f"linux/{machine}",
    }


def _own_version() -> str:
    # Imported late: a twelfth of the server's start.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("proa")
    except PackageNotFoundError:
        return "0"
