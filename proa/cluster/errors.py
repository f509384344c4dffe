"""What a command tells its user when it can't do what was asked."""

import errno

REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space, or set PROA_HOME to a folder on another disk",
    errno.EDQUOT: "the disk quota is used up; free some space, or set PROA_HOME to a folder on another disk",
    errno.EACCES: "permission denied; run as root, or set PROA_HOME to a folder of yours",
    errno.EPERM: "not permitted; run as root",
    errno.EROFS: "the file system is read-only; set PROA_HOME to a folder that can be written",
    errno.ENOTDIR: "a part of this path is a file; set PROA_HOME to a folder",
    errno.EEXIST: "a file is in the way; remove it, or set PROA_HOME to another folder",
    errno.ENAMETOOLONG: "the path is too long; set PROA_HOME to a shorter one",
}


class ClusterError(Exception):
    """One clear sentence with the remedy; the command line prints it and exits with 1."""


def explain(error: OSError) -> str:
    """What the machine refused, as such a sentence."""
    reason = REMEDIES.get(error.errno or 0) or error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason
