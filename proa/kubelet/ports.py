"""Which port a probe or hook means: a number, or the name of one of the container's ports."""

from proa.api.meta import Object


class UnknownPort(ValueError):
    """The container has no port of that name."""


def resolve_port(port: int | str, container: Object) -> int:
    if isinstance(port, int) or str(port).isdigit():
        number = int(port)
        if 0 < number < 65536:
            return number
        raise UnknownPort(f"invalid port number: {number}")
    for each in container.get("ports") or []:
        if each.get("name") == port:
            return int(each["containerPort"])
    raise UnknownPort(f"couldn't find port: {port}")
