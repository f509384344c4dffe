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


def check_user_file() -> None:
    """Fail early if the user's file could not be merged into later."""
    path = user_file()
    _read(path)
    if path.parent.is_dir() and os.access(path.parent, os.W_OK):
        with _locked(path):
            return
    folder = next(parent for parent in path.parents if parent.exists())
    if not os.access(folder, os.W_OK):
        raise ClusterError(f"{folder} can't be written, where kubectl's configuration is; point KUBECONFIG to a file of yours")


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
    _replace(path, yaml.safe_dump(config, sort_keys=False), None)


def _person() -> tuple[int, int] | None:
    if os.geteuid() == 0 and "SUDO_UID" in os.environ:
        return int(os.environ["SUDO_UID"]), int(os.environ.get("SUDO_GID", "0"))
    return None


def _person_home() -> Path:
    if person := _person():
        import pwd

        with suppress(KeyError):
            return Path(pwd.getpwuid(person[0]).pw_dir)
    try:
        return Path.home()
    except RuntimeError as error:
        raise ClusterError("this user has no home folder for kubectl's configuration; set KUBECONFIG to a file of yours") from error


def _read(path: Path) -> Config:
    try:
        loaded = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        return {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = f" (line {mark.line + 1})" if (mark := getattr(error, "problem_mark", None)) else ""
        raise ClusterError(f"{path} is not valid YAML{where}; mend it, or point KUBECONFIG to another file") from error
    except IsADirectoryError as error:
        raise ClusterError(f"{path} is a folder; point KUBECONFIG to a file") from error
    except PermissionError as error:
        raise ClusterError(f"{path} can't be read; point KUBECONFIG to a file of yours") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict) or not all(_is_list_of_objects(loaded.get(section)) for section in ("clusters", "users", "contexts")):
        raise ClusterError(f"{path} is not a kubeconfig; point KUBECONFIG to another file")
    return loaded


def _is_list_of_objects(section: Any) -> bool:
    return section is None or (isinstance(section, list) and all(isinstance(entry, dict) for entry in section))


def _write(path: Path, config: Config) -> None:
    _replace(path, yaml.safe_dump(config, sort_keys=False), _owner(path))


def _make_folder(folder: Path) -> None:
    """It is the person's behind sudo, like what will be in it; one that is there already keeps its owner."""
    if folder.exists():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    if person := _person():
        os.chown(folder, *person)


def _replace(path: Path, text: str, owner: tuple[int, int] | None) -> None:
    target = path.resolve()
    temporary = target.with_name(f"{target.name}.proa-{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        if owner:
            os.chown(temporary, *owner)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _owner(path: Path) -> tuple[int, int] | None:
    """Whose the file is to be: as it was, else the person's behind sudo."""
    if os.geteuid() != 0:
        return None
    if path.exists():
        found = path.stat()
        return found.st_uid, found.st_gid
    return _person()


@contextmanager
def _locked(path: Path, patience: float = 5.0) -> Iterator[None]:
    _make_folder(path.parent)
    lock = path.with_name(path.name + ".lock")
    deadline = time.monotonic() + patience
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            break
        except FileExistsError:
            if time.monotonic() > deadline:
                raise ClusterError(f"{lock} exists: another program changes {path}; remove the lock file if no program does") from None
            time.sleep(0.05)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
