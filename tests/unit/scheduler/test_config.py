"""The configuration file of a scheduler process."""

from pathlib import Path

import pytest

from proa.scheduler.config import SchedulerConfig, load


def test_members_are_read(tmp_path: Path) -> None:
    path = tmp_path / "scheduler.json"
    path.write_text('{"socket": "/run/api.sock", "leader_elect": true}')
    assert load(path) == SchedulerConfig(socket="/run/api.sock", leader_elect=True)


@pytest.mark.parametrize("text", ["{}", '{"socket": "a", "kubeconfig": "b"}', '{"socket": "a", "colour": "red"}'])
def test_what_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "scheduler.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="scheduler"):
        load(path)
