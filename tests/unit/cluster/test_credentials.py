"""The certificates of a cluster."""

from pathlib import Path

from cryptography import x509

from proa.cluster.control_plane import api_server_config
from proa.cluster.credentials import create_for_cluster
from proa.cluster.paths import ClusterPaths
from proa.cluster.settings import ClusterSettings


def test_the_front_proxy_has_an_authority_of_its_own(tmp_path: Path) -> None:
    settings = ClusterSettings("c", 6443, "10.244.0.0/16", "10.96.0.0/16", "10.89.0.0/24", "1.37")
    paths = ClusterPaths(tmp_path, "c")
    create_for_cluster(paths, settings)
    config = api_server_config(paths, settings)
    assert config.proxy_client_certificate is not None
    assert config.proxy_client_key is not None
    assert config.requestheader_client_ca is not None
    certificate = x509.load_pem_x509_certificate(config.proxy_client_certificate.read_bytes())
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(config.requestheader_client_ca.read_bytes()))
    assert certificate.subject.rfc4514_string() == "CN=front-proxy-client"
    assert config.requestheader_client_ca.read_bytes() != config.client_ca.read_bytes()
    assert config.proxy_client_key.stat().st_mode & 0o777 == 0o600
    assert (paths.pki / "front-proxy-ca.key").stat().st_mode & 0o777 == 0o600
