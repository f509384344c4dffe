"""The images that upstream's conformance suite 1.20 names, made from files of this machine: `python upstream_e2e_images.py SOURCE WORK`.

SOURCE is Kubernetes' source tree, WORK/bin holds what was compiled from it, WORK/etcd the unpacked package etcd-server; the archives go to
WORK/images. Every image has Debian's busybox; the original names lead to programs that do the same (a web server for httpd and nginx).
"""

import re
import subprocess
import sys
from pathlib import Path

from proa.cluster.oci_image import ImageContent, RunDefaults, archive, busybox_content

E2E = "gcr.io/kubernetes-e2e-test-images"
TOOLS = ("/usr/bin/curl", "/usr/bin/dig", "/bin/nc.openbsd", "/bin/bash", "/usr/bin/getent", "/usr/bin/iperf", "/usr/sbin/ip")
LIBRARY = re.compile(r"(/\S+\.so\S*) \(0x")
NAME_SERVICE = ("libnss_dns.so.2", "libnss_files.so.2")


def add_tools(content: ImageContent) -> None:
    """Programs with the libraries that they load. They replace busybox' applets; its shell would prefer the applets, thus bash is `sh`."""
    libraries: set[str] = set()
    for tool in map(Path, TOOLS):
        path = f"bin/{tool.name.removesuffix('.openbsd')}"
        content.links.pop(path, None)
        content.add_file(path, tool.read_bytes(), 0o755)
        libraries |= set(LIBRARY.findall(subprocess.run(["ldd", str(tool)], check=True, capture_output=True, text=True).stdout))
    c_library = next(Path(library) for library in libraries if Path(library).name == "libc.so.6")
    libraries |= {str(c_library.with_name(name)) for name in NAME_SERVICE if c_library.with_name(name).exists()}
    for library in libraries:
        content.add_file(library, Path(library).read_bytes(), 0o755)
    content.links["bin/sh"] = "bash"
    content.add_file("etc/nsswitch.conf", b"hosts: files dns\n")


def agnhost(source: Path, binaries: Path) -> ImageContent:
    content = busybox_content()
    add_tools(content)
    content.directories["uploads"] = 0o755
    for name in ("localhost.crt", "localhost.key"):
        content.add_file(name, (source / "test/images/agnhost/porter" / name).read_bytes())
    content.add_file("agnhost", (binaries / "agnhost").read_bytes(), 0o755)
    content.links |= {"agnhost-2": "agnhost", "usr/local/bin/agnhost": "/agnhost"}
    return content


def dns_tools() -> ImageContent:
    content = busybox_content()
    add_tools(content)
    return content


def web_server(text: str) -> tuple[ImageContent, RunDefaults]:
    content = busybox_content()
    content.add_file("www/index.html", f"<html><body><h1>{text}</h1></body></html>\n".encode())
    return content, RunDefaults(command=("/bin/httpd", "-f", "-p", "80", "-h", "/www"))


def program(binary: Path, path: str, mode: int = 0o755) -> ImageContent:
    content = busybox_content()
    content.add_file(path, binary.read_bytes(), mode)
    return content


def picture(source: Path, binaries: Path, name: str) -> tuple[ImageContent, RunDefaults]:
    content = program(binaries / "agnhost", "agnhost")
    for file in (source / "test/images" / name / "html").iterdir():
        content.add_file(file.name, file.read_bytes())
    return content, RunDefaults(entrypoint=("/agnhost",), command=("test-webserver",))


def images(source: Path, work: Path) -> dict[str, tuple[ImageContent, RunDefaults]]:
    """What each reference of test/utils/image/manifest.go leads to, as far as conformance tests start it."""
    binaries = work / "bin"
    run_agnhost = RunDefaults(entrypoint=("/agnhost",), command=("pause",))
    etcd = program(work / "etcd/usr/bin/etcd", "usr/local/bin/etcd")
    return {
        "k8s.gcr.io/e2e-test-images/agnhost:2.21": (agnhost(source, binaries), run_agnhost),
        "gcr.io/k8s-authenticated-test/agnhost:2.6": (agnhost(source, binaries), run_agnhost),
        "docker.io/library/busybox:1.29": (busybox_content(), RunDefaults(command=("sh",))),
        "docker.io/library/httpd:2.4.38-alpine": web_server("It works!"),
        "docker.io/library/httpd:2.4.39-alpine": web_server("It works!"),
        "docker.io/library/nginx:1.14-alpine": web_server("Welcome to nginx!"),
        "docker.io/library/nginx:1.15-alpine": web_server("Welcome to nginx!"),
        "k8s.gcr.io/pause:3.2": (busybox_content(), RunDefaults(entrypoint=("/bin/sleep", "inf"))),
        f"{E2E}/nonroot:1.0": (busybox_content(), RunDefaults(command=("sh",), user="1234")),
        f"{E2E}/jessie-dnsutils:1.0": (dns_tools(), RunDefaults(command=("/bin/sh",))),
        "k8s.gcr.io/etcd:3.4.13-0": (etcd, RunDefaults()),
        f"{E2E}/sample-apiserver:1.17": (
            program(binaries / "sample-apiserver", "kube-sample-apiserver"),
            RunDefaults(entrypoint=("/kube-sample-apiserver",)),
        ),
        f"{E2E}/nonewprivs:1.0": (program(binaries / "nonewprivs", "nnp", 0o4755), RunDefaults(entrypoint=("/nnp",))),
        f"{E2E}/kitten:1.0": picture(source, binaries, "kitten"),
        f"{E2E}/nautilus:1.0": picture(source, binaries, "nautilus"),
    }


def main(source: Path, work: Path) -> None:
    folder = work / "images"
    folder.mkdir(exist_ok=True)
    for reference, (content, run) in images(source, work).items():
        (folder / (re.sub(r"\W", "-", reference) + ".tar")).write_bytes(archive(reference, content, run))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
