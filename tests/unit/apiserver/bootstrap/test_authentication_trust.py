"""What several API servers say together of whom extension servers may trust."""

from datetime import UTC, datetime, timedelta

from proa.apiserver.bootstrap.authentication_trust import combined_trust
from proa.lib.pki import create_authority


def test_authorities_come_together_until_they_expire() -> None:
    ours, theirs = (create_authority(name, days=days).certificate.decode() for name, days in (("ours", 9), ("theirs", 2)))
    key = "client-ca-file"
    assert combined_trust({}, {key: ours}) == {key: ours}
    assert combined_trust({key: theirs + ours}, {key: ours}) == {key: theirs + ours}
    later = datetime.now(UTC) + timedelta(days=3)
    assert combined_trust({key: theirs + ours}, {key: ours}, later) == {key: ours}
    broken = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
    assert combined_trust({key: broken + ours}, {key: ours}) == {key: ours}


def test_names_come_together_and_what_is_no_list_goes() -> None:
    key = "requestheader-allowed-names"
    assert combined_trust({key: '["b"]', "other": "x"}, {key: '["a","b"]'}) == {key: '["b","a"]'}
    assert combined_trust({key: "nonsense"}, {key: '["a"]'}) == {key: '["a"]'}
