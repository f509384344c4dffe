"""The waits between restarts."""

from proa.kubelet.crash_backoff import CrashBackoff, go_duration, raised, remaining


def test_waits_double_up_to_five_minutes() -> None:
    backoff, now, waits = None, 1000.0, []
    for _ in range(8):
        wait = remaining(backoff, now, now)
        waits.append(wait)
        backoff = raised(backoff, now, now + wait)
        now += wait + 1
    assert waits == [0.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]


def test_ten_quiet_minutes_reset() -> None:
    backoff = CrashBackoff(160.0, 1000.0)
    assert remaining(backoff, 1601.0, 1601.0) == 0.0
    assert raised(backoff, 1601.0, 1602.0) == CrashBackoff(10.0, 1602.0)


def test_durations_read_as_upstreams() -> None:
    assert [go_duration(each) for each in (10, 20, 80, 300, 3661)] == ["10s", "20s", "1m20s", "5m0s", "1h1m1s"]
