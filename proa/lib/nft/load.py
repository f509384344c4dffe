"""Whole loads of a table and listings, through a process of their own: its memory goes away with it.

A load is one transaction, as a delta is.
"""

import subprocess

from proa.lib.nft.errors import NftError, describe


def load(commands: str, network_namespace: str = "") -> None:
    """Apply `commands` with `nft -f -`, in the namespace at that path where one is given; raises NftError."""
    _nft(["-f", "-"], commands, network_namespace)


def list_table(family: str, table: str, network_namespace: str = "", *, elements: bool = True) -> str | None:
    """What the kernel holds, as nft prints it; None if there is no such table. Without `elements`, chains and declarations only."""
    options = ["-n"] if elements else ["-n", "-t"]
    try:
        return _nft([*options, "list", "table", family, table], "", network_namespace)
    except NftError as error:
        if "No such file" in error.message:
            return None
        raise


def _nft(arguments: list[str], stdin: str, network_namespace: str) -> str:
    prefix = ["nsenter", f"--net={network_namespace}"] if network_namespace else []
    try:
        done = subprocess.run([*prefix, "nft", *arguments], input=stdin, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise NftError(f"{error.filename} is not installed (packages nftables, util-linux)") from error
    if done.returncode != 0:
        raise describe(done.stderr, stdin)
    return done.stdout
