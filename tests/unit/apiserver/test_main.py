"""The settings file of the API server."""

from pathlib import Path

import pytest

from proa.apiserver.main import load_config


def test_settings_become_a_config() -> None:
    text = """{"data_directory": "/d", "listen": [["127.0.0.1", 1]], "unix_socket": null, "certificate": "/c", "private_key": "/k",
      "client_ca": "/a", "service_account_key": "/s", "node_port_range": [1, 2],
      "requestheader_client_ca": "/f", "requestheader_allowed_names": ["front"]}"""
    config = load_config(text)
    assert (config.data_directory, config.listen, config.unix_socket) == (Path("/d"), (("127.0.0.1", 1),), None)
    assert config.node_port_range == (1, 2)
    assert (config.requestheader_client_ca, config.requestheader_allowed_names) == (Path("/f"), ("front",))


def test_unknown_settings_are_named() -> None:
    with pytest.raises(ValueError, match="unknown settings of the API server: colour"):
        load_config('{"colour": 1}')
