"""Kubeconfig files: making one for a credential, merging a context into the user's own as kind does, and taking it out again.

The user's file is changed under a lock file beside it (`config.lock`, as client-go does), replaced whole, and stays the
user's own behind sudo.
"""

import base64
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from proa.cluster.errors import ClusterError

Config = dict[str, Any]


def make(context: str, server: str, ca: bytes, certificate: bytes, key: bytes) -> Config:
    """A kubeconfig with one cluster, one user and one context of the same name, made current."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": {"server": server, "certificate-authority-data": _base64(ca)}}],
        "users": [{"name": context, "user": {"client-certificate-data": _base64(certificate), "client-key-data": _base64(key)}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "current-context": context,
        "preferences": {},
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def merged(existing: Config, new: Config) -> Config:
    """`existing` with the entries of `new` added or replaced, and its context current."""
    result = {"apiVersion": "v1", "kind": "Config", "preferences": {}} | existing
    for section in ("clusters", "users", "contexts"):
        names = {entry["name"] for entry in new[section]}
        kept = [entry for entry in existing.get(section) or [] if entry.get("name") not in names]
        result[section] = kept + new[section]
    result["current-context"] = new["current-context"]
    return result


def without(existing: Config, context: str) -> Config:
    """`existing` without the context of that name, its cluster and its user; no context is current if it was."""
    result = dict(existing)
    for section in ("clusters", "users", "contexts"):
        result[section] = [entry for entry in existing.get(section) or [] if entry.get("name") != context]
    if result.get("current-context") == context:
        result["current-context"] = ""
    return result


def user_file() -> Path:
    """The file that kubectl writes to: the first of $KUBECONFIG, else ~/.kube/config of the person behind sudo."""
    if configured := os.environ.get("KUBECONFIG"):
        first = next((part for part in configured.split(os.pathsep) if part), "")
        if first:
            return Path(first).absolute()
    return _person_home() / ".kube" / "config"


def merge_into_user_file(new: Config) -> Path:
    """Merge and return the file's path."""
    path = user_file()
    with _locked(path):
        _write(path, merged(_read(path), new))
    return path


def remove_from_user_file(context: str) -> None:
    """Take the context out again; a missing file is fine."""
    path = user_file()
    if not path.exists():
        return
    with _locked(path):
        _write(path, without(_read(path), context))


def write_private(path: Path, config: Config) -> None:
    """A kubeconfig of our own, mode 0600."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, yaml.safe_dump(config, sort_keys=False))


def _person() -> tuple[int, int] | None:
    if os.geteuid() == 0 and "SUDO_UID" in os.environ:
        return int(os.environ["SUDO_UID"]), int(os.environ.get("SUDO_GID", "0"))
    return None


def _person_home() -> Path:
    if person := _person():
        import pwd

        with suppress(KeyError):
            return Path(pwd.getpwuid(person[0]).pw_dir)
    return Path.home()


def _read(path: Path) -> Config:
    try:
        loaded = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        return {}
    except yaml.YAMLError as error:
        raise ClusterError(f"{path} is not valid YAML, mend it or point KUBECONFIG elsewhere: {error}") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ClusterError(f"{path} is not a kubeconfig; point KUBECONFIG to another file")
    return loaded


def _write(path: Path, config: Config) -> None:
    _replace(path, yaml.safe_dump(config, sort_keys=False))
    if person := _person():
        for owned in (path, path.parent):
            os.chown(owned, *person)


def _replace(path: Path, text: str) -> None:
    target = path.resolve()
    temporary = target.with_name(f"{target.name}.proa-{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    os.replace(temporary, target)


@contextmanager
def _locked(path: Path, patience: float = 5.0) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(path.name + ".lock")
    deadline = time.monotonic() + patience
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            break
        except FileExistsError:
            if time.monotonic() > deadline:
                raise ClusterError(f"{lock} exists: another program changes {path}; remove the lock file if none does") from None
            time.sleep(0.05)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
