"""Warnings about ports of one pod: given twice, overlapping, or of one name."""

from collections.abc import Iterator

from proa.api.meta import Object

_LISTS = ("initContainers", "containers")


def port_warnings(spec: Object, path: str) -> list[str]:
    found: list[str] = []
    by_number: dict[tuple[int, str], list[tuple[str, Object]]] = {}
    by_name: dict[str, str] = {}
    for own, port in _ports(spec, path):
        if port.get("hostIP") and not port.get("hostPort"):
            found.append(f"{own}: hostIP set without hostPort: {_go_struct(port)}")
        others = by_number.setdefault((port.get("containerPort", 0), port.get("protocol", "")), [])
        for other_path, other in others:
            if problem := _problem(port, other):
                found.append(f"{own}: {problem} port definition with {other_path}")
        others.append((own, port))
    for own, port in _ports(spec, path):
        name = port.get("name")
        if not name:
            continue
        if (first := by_name.setdefault(name, own)) != own:
            used = f"services and probes that select ports by name will use {first}"
            found.append(f'{own}: duplicate port name "{name}" with {first}, {used}')
    return found


def _ports(spec: Object, path: str) -> Iterator[tuple[str, Object]]:
    for field in _LISTS:
        for index, container in enumerate(spec.get(field) or ()):
            for number, port in enumerate(container.get("ports") or ()):
                yield f"{path}.{field}[{index}].ports[{number}]", port


def _problem(port: Object, other: Object) -> str:
    ip, other_ip = port.get("hostIP") or "", other.get("hostIP") or ""
    number, other_number = port.get("hostPort") or 0, other.get("hostPort") or 0
    if (ip, number) == (other_ip, other_number):
        return "duplicate"
    if not number or not other_number:
        return "overlapping"
    return "dangerously ambiguous" if number == other_number and bool(ip) != bool(other_ip) else ""


def _go_struct(port: Object) -> str:
    shown = (("Name", "name", ""), ("HostPort", "hostPort", 0), ("ContainerPort", "containerPort", 0), ("Protocol", "protocol", ""),
             ("HostIP", "hostIP", ""))  # fmt: skip
    return "{" + " ".join(f"{label}:{port.get(field) or zero}" for label, field, zero in shown) + "}"
