"""Who a controller is to the API: the names that RBAC's bootstrap roles are bound to."""

from collections.abc import Callable
from pathlib import Path

from proa.client.interface import Client

SHARED_INFORMERS = "shared-informers"
"""What everybody's caches are read as, and the leader's Lease is written as."""


def user_of(name: str) -> tuple[str, tuple[str, ...]]:
    """(user, groups) of a controller, or of the manager itself for the shared informers."""
    if name == SHARED_INFORMERS:
        return "system:kube-controller-manager", ("system:authenticated",)
    groups = ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated")
    return f"system:serviceaccount:kube-system:{name}", groups


def unix_clients(socket: Path | str) -> Callable[[str], Client]:
    """`client_for` over the API server's Unix socket."""
    from proa.client.unix import UnixClient

    def client_for(name: str) -> Client:
        user, groups = user_of(name)
        return UnixClient(socket, user, groups, user_agent=f"kube-controller-manager/{name}")

    return client_for
