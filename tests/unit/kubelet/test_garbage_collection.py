"""What may go."""

from proa.kubelet.cri.runtime import LABEL_POD_UID, Container, Image, Sandbox
from proa.kubelet.garbage_collection import containers_to_remove, excess_bytes, images_to_remove, sandboxes_to_remove
from proa.kubelet.machine import Filesystem


def ended(name: str, attempt: int, sandbox: str = "s", state: str = "EXITED") -> Container:
    return Container(f"{name}{attempt}", name, attempt, sandbox, state, created_at=attempt, labels={LABEL_POD_UID: "u"})  # type: ignore[arg-type]


def test_the_last_attempt_stays() -> None:
    containers = [ended("a", 2), ended("a", 0), ended("a", 1), ended("b", 0), ended("c", 0), ended("c", 1, state="RUNNING")]
    assert [each.id for each in containers_to_remove(containers)] == ["a0", "a1"]


def test_old_empty_sandboxes_go() -> None:
    sandboxes = [Sandbox(f"s{number}", "p", "n", "u", number, number == 3, number) for number in range(4)]
    assert [each.id for each in sandboxes_to_remove(sandboxes, [ended("a", 0, "s1")])] == ["s0", "s2"]


def test_the_longest_unused_images_go_first() -> None:
    images = [
        Image("used", size=5),
        Image("new", size=5),
        Image("old", size=5),
        Image("older", size=5),
        Image("pinned", size=5, pinned=True),
    ]
    last_used = {"used": 0.0, "new": 950.0, "old": 500.0, "older": 100.0, "pinned": 0.0}
    assert [each.id for each in images_to_remove(images, {"used"}, last_used, 1000.0, 120.0, 6)] == ["older", "old"]
    assert images_to_remove(images, {"used"}, last_used, 1000.0, 120.0, 0) == []


def test_nothing_is_excess_below_the_high_mark() -> None:
    assert (excess_bytes(Filesystem(100, 16, 0, 0), 85, 80), excess_bytes(Filesystem(100, 10, 0, 0), 85, 80)) == (0, 10)
