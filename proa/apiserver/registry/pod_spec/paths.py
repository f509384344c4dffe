"""Paths that must stay below the place that they start from."""

from proa.api.errors import Cause, invalid, required


def validate_relative_path(path: str, value: str) -> list[Cause]:
    """Below its volume, not above: neither absolute nor with `..`."""
    causes = [invalid(path, value, "must be a relative path")] if value.startswith("/") else []
    return causes + validate_no_backsteps(path, value)


def validate_no_backsteps(path: str, value: str) -> list[Cause]:
    return [invalid(path, value, "must not contain '..'")] if ".." in value.split("/") else []


def validate_file_path(path: str, value: str) -> list[Cause]:
    """Where a file is put into a volume: names that start with `..` are the kubelet's own."""
    causes = validate_relative_path(path, value)
    if value.startswith("..") and not value.startswith("../"):
        causes.append(invalid(path, value, "must not start with '..'"))
    return causes


def validate_required_file_path(path: str, value: str | None) -> list[Cause]:
    return validate_file_path(path, value) if value else [required(path)]
