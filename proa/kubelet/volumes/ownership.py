"""fsGroup: everything in a volume belongs to the group, which may read it, and write it too where the volume is writable."""

import os
from pathlib import Path

from proa.api.meta import Object
from proa.kubelet import pod_spec

_READ_WRITE, _EXECUTE, _SET_GROUP = 0o660, 0o110, 0o2000


def fs_group(pod: Object) -> int | None:
    group = (pod["spec"].get("securityContext") or {}).get("fsGroup")
    return None if group is None else int(group)


def token_owner(pod: Object) -> int | None:
    """The user as whom all containers run, if they agree: a token may then be readable for that user alone."""
    of_pod = (pod["spec"].get("securityContext") or {}).get("runAsUser")
    users = {(each.get("securityContext") or {}).get("runAsUser", of_pod) for _, each in pod_spec.all_containers(pod)}
    return users.pop() if len(users) == 1 else None


def give_to_group(root: Path, group: int) -> None:
    """Recursive; links are not followed."""
    for directory, names, files in os.walk(root):
        for path in [directory, *(os.path.join(directory, name) for name in files)]:
            status = os.lstat(path)
            os.lchown(path, -1, group)
            if not os.path.islink(path):
                extra = _READ_WRITE | (_EXECUTE | _SET_GROUP if path == directory else 0)
                os.chmod(path, (status.st_mode & 0o7777) | extra)
        for name in names:
            if os.path.islink(os.path.join(directory, name)):
                os.lchown(os.path.join(directory, name), -1, group)
