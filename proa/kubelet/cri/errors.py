"""What can go wrong at the container runtime, translated once from gRPC, so that nothing above knows that gRPC is there."""


class RuntimeFailure(Exception):
    """The runtime refused or failed; the message is the runtime's own."""

    def __init__(self, message: str, code: str = "UNKNOWN") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class RuntimeNotFound(RuntimeFailure):
    """The container, sandbox or image is not there (any more)."""


class RuntimeUnavailable(RuntimeFailure):
    """The runtime does not answer: it is down, or starting."""


class RuntimeTimeout(RuntimeFailure):
    """The call took longer than its limit."""


def describe(failure: RuntimeFailure) -> str:
    """The failure as upstream's messages quote it: `rpc error: code = NotFound desc = ...`."""
    words = "".join(part.capitalize() for part in failure.code.split("_"))
    return f"rpc error: code = {words} desc = {failure.message}"
