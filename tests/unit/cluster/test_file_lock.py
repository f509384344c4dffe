"""One holder at a time, though each removes the file that the next one waits for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proa.cluster.file_lock import locked


def test_many_who_want_it_have_it_one_after_another_and_no_file_stays(tmp_path: Path) -> None:
    inside, most, turns = 0, 0, 0
    guard = threading.Lock()

    def take() -> None:
        nonlocal inside, most, turns
        for _ in range(50):
            with locked(tmp_path / "lock"):
                with guard:
                    inside, turns = inside + 1, turns + 1
                    most = max(most, inside)
                with guard:
                    inside -= 1

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, turns, list(tmp_path.iterdir())) == (1, 200, [])


def test_who_waits_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    waits = threading.Event()

    @contextmanager
    def waiting() -> Iterator[None]:
        said.append("waiting")
        waits.set()
        yield
        said.append("had it")

    def take() -> None:
        with locked(tmp_path / "lock", waiting):
            said.append("inside")

    second = threading.Thread(target=take)
    with locked(tmp_path / "lock"):
        second.start()
        assert waits.wait(10)
    second.join()
    assert (said[0], said[-1]) == ("waiting", "inside")
