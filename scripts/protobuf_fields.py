"""Make proa/api/protobuf/fields.txt from the published Go types of Kubernetes: `python protobuf_fields.py FOLDER_WITH_k8s.io > fields.txt`.

The folder is what Debian's packages golang-k8s-api-dev, golang-k8s-apimachinery-dev and golang-k8s-apiextensions-apiserver-dev unpack to
(usr/share/gocode/src). Only facts of the interface are taken: names, numbers, wire types, and whether a zero is told from an absence.
"""

import re
import sys
from pathlib import Path

MESSAGE = re.compile(r"^message (\w+) \{(.*?)^\}", re.S | re.M)
FIELD = re.compile(r"^  (?:(optional|repeated|required) )?(map<[^>]+>|[.\w]+) (\w+) = (\d+);", re.M)
STRUCT = re.compile(r"^type (\w+) struct \{(.*?)^\}", re.S | re.M)
MEMBER = re.compile(r'^\s+(?:(\w+)\s+)?([\w.*\[\]]+)\s+`json:"([^"]*)"\s*(?:[\w-]+:"[^"]*"\s*)*protobuf:"\w+,(\d+)[^"]*"', re.M)
PROTO3 = {"string": "s", "bool": "b", "int32": "i", "int64": "l", "bytes": "y", "double": "d", "uint32": "u", "sint32": "i"}


def short(name: str) -> str:
    """`.k8s.io.api.core.v1.Pod` as the schema calls it."""
    parts = name.lstrip(".")
    parts = parts.replace("k8s.io.apiextensions_apiserver.", "io.k8s.apiextensions-apiserver.")
    return re.sub(r"^k8s\.io\.", "io.k8s.", parts)


def go_members(folder: Path) -> dict[str, dict[int, tuple[str, str, bool]]]:
    """struct -> protobuf number -> (json name, go type, omitempty)."""
    found: dict[str, dict[int, tuple[str, str, bool]]] = {}
    for source in folder.glob("*.go"):
        if source.name.startswith(("generated", "zz_")):
            continue
        for struct, body in STRUCT.findall(source.read_text()):
            members = found.setdefault(struct, {})
            for _, go_type, json_tag, number in MEMBER.findall(body):
                name, *options = json_tag.split(",")
                members[int(number)] = ("~" if "inline" in options else name, go_type, "omitempty" in options)
    return found


def lines(proto: Path) -> list[str]:
    text = re.sub(r"//[^\n]*", "", proto.read_text())
    package = re.search(r"^package ([\w.]+);", text, re.M)
    assert package
    members = go_members(proto.parent)
    result = []
    for message, body in MESSAGE.findall(text):
        fields = []
        for label, kind, name, number in FIELD.findall(body):
            json_name, go_type, omitempty = members.get(message, {}).get(int(number), (name, "", True))
            flags = ("*" if go_type.startswith("*") else "") + ("" if omitempty else "!") + ("+" if label == "repeated" else "")
            if json_name == "~":
                json_name, flags = name, flags + "~"
            fields.append(f"{json_name}={number}{flags}:{field_type(kind, package[1])}")
        result.append(f"{short(f'{package[1]}.{message}')} {' '.join(fields)}".rstrip())
    return result


def field_type(kind: str, package: str) -> str:
    if kind.startswith("map<"):
        _, value = kind[4:-1].split(",", 1)
        return f"m{field_type(value.strip(), package)}"
    if kind in PROTO3:
        return PROTO3[kind]
    return short(kind) if kind.startswith(".") else short(f"{package}.{kind}")


HEADER = """# The protobuf form of the API: a line per message, `name number flags : type` per field. Made by scripts/protobuf_fields.py
# from the published types of Kubernetes 1.36.4 (Debian's golang-k8s-api-dev, -apimachinery-dev and -apiextensions-apiserver-dev).
# Types: s string, b bool, i int32, l int64, d double, y bytes, m<type> map of strings to it, else a message. Flags: * a zero differs
# from an absence, ! a zero is written, + repeated, ~ its members stand in the outer object. `meta.` is meta/v1, no prefix is k8s.io/api.
"""
SHORT = (("io.k8s.apimachinery.pkg.apis.meta.v1.", "meta."), ("io.k8s.api.", ""))
GROUPS = (
    "apps|batch|policy|events|discovery|node|rbac|storage|networking|scheduling|autoscaling|authentication|authorization|flowcontrol|"
    "apidiscovery|apiserverinternal|storagemigration"
)
LISTS = ("meta.APIGroupList ", "meta.APIResourceList ", "apidiscovery.v2.APIGroupDiscoveryList ", "core.v1.ComponentStatusList ")
"""Those that are made as documents; the others are put together from the messages of their items."""
OLD = re.compile(rf"^({GROUPS})\.v\d+(alpha|beta)\d+\.")


def shorten(line: str) -> str:
    for long, brief in SHORT:
        line = line.replace(long, brief)
    return line


def main(folder: Path) -> None:
    print(HEADER, end="")
    protos = sorted(folder.glob("k8s.io/**/generated.proto"))
    wanted = [
        proto
        for proto in protos
        if not any(part in str(proto) for part in ("/admission/", "/imagepolicy/", "/extensions/", "/testapigroup/"))
    ]
    for proto in wanted:
        for line in map(shorten, lines(proto)):
            if not OLD.match(line) and "apiextensions.v1beta1" not in line and (line.startswith(LISTS) or not re.match(r"\S+List ", line)):
                print(line)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
