"""What a container says at its end: the file at terminationMessagePath, or the end of its log where the policy says so and it failed."""

from pathlib import Path

from proa.kubelet.container_config import ANNOTATION_TERMINATION_FILE, ANNOTATION_TERMINATION_POLICY
from proa.kubelet.cri.runtime import Container

MESSAGE_LIMIT = 4096
LOG_LIMIT = 2048
LOG_LINES = 80
_READ_LIMIT = 1 << 16


def termination_message(container: Container) -> str:
    """ "" if there is none."""
    if path := container.annotations.get(ANNOTATION_TERMINATION_FILE):
        message = _tail(Path(path), MESSAGE_LIMIT).decode("utf-8", "replace")
        if message:
            return message
    falls_back = container.annotations.get(ANNOTATION_TERMINATION_POLICY) == "FallbackToLogsOnError"
    return log_tail(Path(container.log_path)) if falls_back and container.exit_code != 0 and container.log_path else ""


def _tail(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - limit, 0))
            return file.read(limit)
    except OSError:
        return b""


def log_tail(path: Path) -> str:
    """The last 80 lines or 2048 bytes of a CRI log, whichever is less."""
    lines = _tail(path, _READ_LIMIT).decode("utf-8", "replace").splitlines()[-LOG_LINES:]
    parts = [line.split(" ", 3) for line in lines]
    text = "".join(part[3] + ("" if part[2] == "P" else "\n") for part in parts if len(part) == 4)
    return text.encode()[-LOG_LIMIT:].decode("utf-8", "replace")
