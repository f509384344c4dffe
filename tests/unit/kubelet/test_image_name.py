"""Image references."""

import pytest

from proa.kubelet.image_name import InvalidImageName, parse, pull_policy

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("busybox", "docker.io/library/busybox:latest"),
        ("busybox:1.36", "docker.io/library/busybox:1.36"),
        ("user/app", "docker.io/user/app:latest"),
        ("docker.io/busybox", "docker.io/library/busybox:latest"),
        ("index.docker.io/user/app:v1", "docker.io/user/app:v1"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
        ("localhost/app", "localhost/app:latest"),
        ("host:5000/app", "host:5000/app:latest"),
        ("host:5000/a/b:v1", "host:5000/a/b:v1"),
        (f"busybox@{DIGEST}", f"docker.io/library/busybox@{DIGEST}"),
        (f"a.b/c:v1@{DIGEST}", f"a.b/c:v1@{DIGEST}"),
    ],
)
def test_names_become_canonical(image: str, expected: str) -> None:
    assert str(parse(image)) == expected


@pytest.mark.parametrize("image", ["", "Busybox", "a b", "a:", "a:b c", "a@sha256:1", "/a", "a//b", "a/-b"])
def test_what_is_no_name_is_refused(image: str) -> None:
    with pytest.raises(InvalidImageName):
        parse(image)


@pytest.mark.parametrize(
    ("image", "policy", "expected"),
    [
        ("a", None, "Always"),
        ("a:latest", "", "Always"),
        ("a:v1", None, "IfNotPresent"),
        (f"a@{DIGEST}", None, "IfNotPresent"),
        ("a", "Never", "Never"),
    ],
)
def test_pull_policy(image: str, policy: str | None, expected: str) -> None:
    assert pull_policy(image, policy) == expected
