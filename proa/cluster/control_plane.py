"""The two processes of the control plane, as the supervisor runs them: the API server, and everyone who works through it."""

import logging
from typing import TYPE_CHECKING

from proa.cluster.paths import ClusterPaths
from proa.cluster.settings import ClusterSettings

if TYPE_CHECKING:
    from proa.apiserver.config import ApiServerConfig


def api_server_config(paths: ClusterPaths, settings: ClusterSettings) -> "ApiServerConfig":
    """On loopback for this machine, and on the switch for nodes and pods."""
    from proa.apiserver.config import ApiServerConfig
    from proa.apiserver.flags import with_flags

    listen = [("127.0.0.1", settings.api_port)]
    if settings.nodes:
        listen.append((settings.control_plane_address, settings.api_port))
    config = ApiServerConfig(
        data_directory=paths.data,
        listen=tuple(listen),
        unix_socket=paths.api_socket,
        certificate=paths.pki / "apiserver.crt",
        private_key=paths.pki / "apiserver.key",
        client_ca=paths.pki / "ca.crt",
        service_account_key=paths.pki / "service-account.key",
        kubelet_client_certificate=paths.pki / "apiserver-kubelet-client.crt",
        kubelet_client_key=paths.pki / "apiserver-kubelet-client.key",
        proxy_client_certificate=paths.pki / "front-proxy-client.crt",
        proxy_client_key=paths.pki / "front-proxy-client.key",
        requestheader_client_ca=paths.pki / "front-proxy-ca.crt",
        requestheader_allowed_names=("front-proxy-client",),
        advertise_address=settings.control_plane_address if settings.nodes else "127.0.0.1",
        advertise_port=settings.api_port,
        service_cidr=settings.service_cidr,
        kubernetes_version=settings.kubernetes_version,
    )
    return with_flags(config, settings.kube_apiserver_args)


def run_api_server(paths: ClusterPaths, settings: ClusterSettings) -> None:
    """Until SIGTERM."""
    import uvloop

    from proa.apiserver.main import run

    log_to_stderr()
    uvloop.run(run(api_server_config(paths, settings)))


def run_controllers(paths: ClusterPaths, settings: ClusterSettings) -> None:
    """Controllers, scheduler and this machine's own network in one event loop, each with the identity that upstream gives it."""
    import uvloop

    from proa.cluster.control_loop import run

    log_to_stderr()
    uvloop.run(run(paths, settings))


def log_to_stderr() -> None:
    """The supervisor has pointed it to the part's log file."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True)
