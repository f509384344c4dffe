"""The syntax of cron schedules: five fields or a descriptor (`@daily`, `@every 1h`), as the robfig/cron parser takes it."""

import re

_DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[int, int, tuple[str, ...]], ...] = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, _MONTHS), (0, 6, _DAYS))
_duration = re.compile(r"([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+").fullmatch


def schedule_problem(schedule: str) -> str:
    """What is wrong with it; empty for a good one."""
    text = re.sub(r"^(CRON_)?TZ=\S+\s+", "", schedule.strip())
    if text.startswith("@"):
        if text in _DESCRIPTORS or (text.startswith("@every ") and _duration(text[7:])):
            return ""
        return f"unrecognized descriptor: {text}"
    fields = text.split()
    if len(fields) != 5:
        return f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    problems = (_field_problem(field, *bounds) for field, bounds in zip(fields, _FIELDS, strict=True))
    return next((problem for problem in problems if problem), "")


def _field_problem(field: str, low: int, high: int, names: tuple[str, ...]) -> str:
    problems = (_part_problem(part, low, high, names) for part in field.split(","))
    return next((problem for problem in problems if problem), "")


def _part_problem(part: str, low: int, high: int, names: tuple[str, ...]) -> str:
    span, slash, step = part.partition("/")
    if slash and (not step.isdigit() or int(step) == 0):
        return f"step of range should be a positive number: {part}" if step == "0" else f'failed to parse int from {step}: "{step}"'
    if span in ("*", "?"):
        return ""
    start_text, dash, end_text = span.partition("-")
    start = _number(start_text, low, names)
    end = _number(end_text, low, names) if dash else start
    if start is None or end is None:
        wrong = start_text if start is None else end_text
        return f'failed to parse int from {wrong}: strconv.Atoi: parsing "{wrong}": invalid syntax'
    if start < low:
        return f"beginning of range ({start}) below minimum ({low}): {part}"
    if end > high:
        return f"end of range ({end}) above maximum ({high}): {part}"
    return f"beginning of range ({start}) beyond end of range ({end}): {part}" if start > end else ""


def _number(text: str, low: int, names: tuple[str, ...]) -> int | None:
    if text.lower() in names:
        return names.index(text.lower()) + low
    return int(text) if text.isdigit() else None
