"""Build the shop's image from Debian's busybox: `python image.py FILE.tar [VERSION]`."""

import sys
from pathlib import Path

from proa.cluster.oci_image import RunDefaults, archive, busybox_content

HERE = Path(__file__).parent


def build(version: str = "v1") -> bytes:
    """The bytes of an archive that `proa image load` takes; the image is called `example.com/shop:VERSION`."""
    content = busybox_content()
    for source in sorted((HERE / "root").rglob("*")):
        if source.is_file():
            content.add_file(str(source.relative_to(HERE / "root")), source.read_bytes(), 0o755)
    return archive(f"example.com/shop:{version}", content, RunDefaults(entrypoint=("/bin/serve",), environment={"VERSION": version}))


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(build(*sys.argv[2:3]))
