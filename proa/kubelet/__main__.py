"""`python -m proa.kubelet --config FILE.json`: the node agent alone. SIGTERM ends it; containers go on, the next start takes them over."""

import argparse
import logging

from proa.client.interface import Client
from proa.kubelet import config
from proa.kubelet.main import run
from proa.runtime.standalone import run_until_signal


def build_client(configuration: config.KubeletConfiguration) -> Client:
    """Raises ValueError if the configuration does not say how to reach the API."""
    if configuration.kubeconfig:
        from proa.client.rest import RestClient

        return RestClient.from_kubeconfig(configuration.kubeconfig, user_agent="proa-kubelet")
    if configuration.api_socket:
        from proa.client.unix import UnixClient

        return UnixClient(configuration.api_socket, f"system:node:{configuration.node_name}", ("system:nodes", "system:authenticated"))
    raise ValueError("kubelet configuration: kubeconfig or api_socket is required")


async def serve(configuration: config.KubeletConfiguration) -> None:
    client = build_client(configuration)
    try:
        await run(configuration, client)
    finally:
        await client.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m proa.kubelet", description="The node agent")
    parser.add_argument("--config", required=True, help="a JSON file with the fields of KubeletConfiguration")
    parser.add_argument("--verbose", action="store_true", help="log what happens, not only what fails")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO if arguments.verbose else logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    import uvloop

    uvloop.run(run_until_signal(serve(config.load(arguments.config))))


if __name__ == "__main__":
    main()
