"""Paths that must stay below the place that they start from."""

from proa.api.errors import Cause, invalid


def validate_relative_path(path: str, value: str) -> list[Cause]:
    """Below its volume, not above: neither absolute nor with `..`."""
    causes = [invalid(path, value, "must be a relative path")] if value.startswith("/") else []
    return causes + validate_no_backsteps(path, value)


def validate_no_backsteps(path: str, value: str) -> list[Cause]:
    return [invalid(path, value, "must not contain '..'")] if ".." in value.split("/") else []
