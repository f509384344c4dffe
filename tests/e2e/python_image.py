"""An image with Debian's Python and a gRPC server in it, made from this machine's files: `example.com/python:v1`.

The server answers grpc.health.v1.Health on port 50051: SERVING, until a file /tmp/sick exists; service "other" is never known.
"""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from proa.cluster.oci_image import ImageContent, RunDefaults, archive, busybox_content

IMAGE = "example.com/python:v1"
PYTHON = Path("/usr/bin/python3.11")
LIBRARY = Path("/usr/lib/python3.11")
LEFT_OUT = re.compile(
    r"/(__pycache__|test|tests|idlelib|tkinter|lib2to3|ensurepip|pydoc_data|config-3[^/]*|distutils|unittest|turtledemo)(/|$)"
)
SERVER = """
import os, time
from concurrent import futures
import grpc

def check(request, context):
    if b"other" in request:
        context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
    return b"\\x08\\x02" if os.path.exists("/tmp/sick") else b"\\x08\\x01"

server = grpc.server(futures.ThreadPoolExecutor(2))
handler = grpc.unary_unary_rpc_method_handler(check)
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": handler})])
server.add_insecure_port("0.0.0.0:50051")
server.start()
print("serving", flush=True)
time.sleep(1e6)
"""


def missing() -> str:
    """Why the image can't be made here, "" if it can."""
    if not PYTHON.exists():
        return "needs Debian's python3.11"
    if sys.version_info[:2] != (3, 11) or find_spec("grpc") is None:
        return "needs grpcio built for Python 3.11"
    return ""


def build() -> bytes:
    content = busybox_content()
    content.add_file("bin/python3.11", PYTHON.read_bytes(), 0o755)
    _add_modules(content, LIBRARY, "usr/lib/python3.11")
    for module in ("grpc", "typing_extensions"):
        _add_installed(content, module)
    for library in sorted(_libraries([PYTHON, *_extensions(content)])):
        content.add_file(str(library), library.read_bytes(), 0o755)
    content.add_file("server.py", SERVER.encode())
    defaults = RunDefaults(
        entrypoint=("/bin/python3.11", "/server.py"),
        environment={"PYTHONHOME": "/usr", "PYTHONPATH": "/site", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return archive(IMAGE, content, defaults)


def _add_modules(content: ImageContent, source: Path, target: str) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file() and not LEFT_OUT.search(f"/{path.relative_to(source.parent)}"):
            content.add_file(f"{target}/{path.relative_to(source)}", path.read_bytes())


def _add_installed(content: ImageContent, module: str) -> None:
    found = find_spec(module)
    assert found is not None
    assert found.origin is not None
    origin = Path(found.origin)
    if origin.name == "__init__.py":
        _add_modules(content, origin.parent, f"site/{module}")
    else:
        content.add_file(f"site/{origin.name}", origin.read_bytes())


def _extensions(content: ImageContent) -> list[Path]:
    """The shared objects among the modules, where they lie on this machine."""
    site = Path(str(find_spec("grpc").origin)).parents[1]  # type: ignore[union-attr]
    inside = [Path(path) for path in content.files if path.endswith(".so")]
    return [site / path.relative_to("site") if path.parts[0] == "site" else Path("/") / path for path in inside]


def _libraries(programs: list[Path]) -> set[Path]:
    """What the dynamic linker would load, the linker included; libraries that Debian's minimal image has."""
    told = subprocess.run(["ldd", *map(str, programs)], check=True, capture_output=True, text=True).stdout
    return {Path(path) for path in re.findall(r"(/lib\S*/\S+\.so\S*|/usr/lib\S*/\S+\.so\S*) \(0x", told)}
