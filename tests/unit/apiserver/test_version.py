"""What clients take apart of /version."""

import re

import pytest

from proa.apiserver.version import version_document


@pytest.mark.parametrize(
    ("field", "form"), [("major", r"\d"), ("minor", r"\d+\+?"), ("gitVersion", r"v\d\.\d+\.[\d\w\-.+]+"), ("gitCommit", "[0-9a-f]+")]
)
def test_upstreams_suite_finds_each_part(field: str, form: str) -> None:
    assert re.fullmatch(form, version_document("1.37")[field])
