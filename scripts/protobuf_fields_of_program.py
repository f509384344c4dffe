"""Add to proa/api/protobuf/fields.txt what a newer release has: `python scripts/protobuf_fields_of_program.py KUBECTL`.

The API's Go types carry their protobuf numbers in tags, which every program that decodes JSON into them has inside; kubectl has them all.
Nothing is taken away: a number is never used twice, and older versions of the API are served as well. Messages are added that a published
schema has, and those that they refer to.
How types lie in a program: internal/abi (Type, StructType, Name) of Go 1.20 and later, 64 bits, little-endian, linked without relocations.
"""

import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from proa.api.protobuf.table import definition_name
from proa.api.schema import load_schema

BOOL, INT32, INT64, UINT8, UINT32, FLOAT64, MAP, POINTER, SLICE, STRING, STRUCT = 1, 5, 6, 8, 10, 14, 21, 22, 23, 24, 25
_HEADER, _MEMBER = 48, 24
_NAMED, _STAR, _KIND = 4, 2, 31
TABLE = Path(__file__).resolve().parents[1] / "proa/api/protobuf/fields.txt"
SCALARS = {BOOL: "b", INT32: "i", INT64: "l", UINT32: "u", FLOAT64: "d", STRING: "s"}
PACKAGES = ("k8s.io/api/", "k8s.io/apimachinery/")
NUMBER = re.compile(r'protobuf:"\w+,(\d+),')
JSON = re.compile(r'json:"([^",]*)((?:,\w+)*)"')
SHORT = (("io.k8s.apimachinery.pkg.apis.meta.v1.", "meta."), ("io.k8s.api.", ""))


@dataclass(frozen=True, slots=True)
class Member:
    """`type` is an address, as everywhere here."""

    name: str
    tag: str
    type: int


class Program:
    """The types of a program. Addresses are those that it has when it runs."""

    def __init__(self, path: Path) -> None:
        self._bytes = path.read_bytes()
        sections = dict(self._sections())
        self._address, offset, _ = sections[".rodata"]
        self._shift = self._address - offset
        _, start, size = sections[".typelink"]
        self._links = struct.unpack_from(f"<{size // 4}i", self._bytes, start)

    def _sections(self) -> Iterator[tuple[str, tuple[int, int, int]]]:
        (start,), (size, count, names) = struct.unpack_from("<Q", self._bytes, 40), struct.unpack_from("<HHH", self._bytes, 58)
        headers = [struct.unpack_from("<IIQQQQ", self._bytes, start + size * index) for index in range(count)]
        for name, _, _, address, offset, length in headers:
            place = headers[names][4] + name
            yield self._bytes[place : self._bytes.index(b"\0", place)].decode(), (address, offset, length)

    def structs(self) -> Iterator[int]:
        """Every named struct that the program has a pointer type of."""
        for link in self._links:
            pointed = self._address + link
            if self.kind(pointed) == POINTER and self.kind(element := self.element(pointed)) == STRUCT and self.name(element):
                yield element

    def kind(self, type_: int) -> int:
        return self._bytes[type_ - self._shift + 23] & _KIND

    def element(self, type_: int) -> int:
        """Of a pointer or a slice; of a map its value."""
        return self._word(type_ + _HEADER + (8 if self.kind(type_) == MAP else 0))

    def name(self, type_: int) -> str:
        """`v1.Pod`, "" for a type without a name."""
        flags = self._bytes[type_ - self._shift + 20]
        if not flags & _NAMED:
            return ""
        text = self._text(self._address + self._int32(type_ + 40))[0]
        return text[1:] if flags & _STAR else text

    def package(self, type_: int) -> str:
        """`k8s.io/api/core/v1`, of a struct or slice that has a name."""
        return self._text(self._address + self._int32(type_ + _HEADER + (32 if self.kind(type_) == STRUCT else 8)))[0]

    def members(self, type_: int) -> list[Member]:
        start, count = self._word(type_ + _HEADER + 8), self._word(type_ + _HEADER + 16)
        places = [start + _MEMBER * index for index in range(count)]
        return [Member(*self._text(self._word(place)), self._word(place + 8)) for place in places]

    def _word(self, address: int) -> int:
        word: int = struct.unpack_from("<Q", self._bytes, address - self._shift)[0]
        return word

    def _int32(self, address: int) -> int:
        number: int = struct.unpack_from("<i", self._bytes, address - self._shift)[0]
        return number

    def _text(self, address: int) -> tuple[str, str]:
        """A name and its tag."""
        place = address - self._shift
        has_tag = self._bytes[place] & 2
        name, place = self._counted(place + 1)
        return name, self._counted(place)[0] if has_tag else ""

    def _counted(self, place: int) -> tuple[str, int]:
        length = shift = 0
        while True:
            byte = self._bytes[place]
            length |= (byte & 0x7F) << shift
            place, shift = place + 1, shift + 7
            if byte < 0x80:
                return self._bytes[place : place + length].decode(), place + length


def messages(program: Program) -> dict[str, list[str]]:
    """{short name: its fields as the table has them} of every struct, some of the API's have no members, and of slices with names."""
    structs = [each for each in program.structs() if program.package(each).startswith(PACKAGES)]
    members = {each: program.members(each) for each in structs}
    found = {short(program, each): [text for member in members[each] if (text := field(program, member))] for each in structs}
    return found | {
        short(program, type_): [f"items=1+:{wire_type(program, program.element(type_))[0]}"]
        for each in structs
        for member in members[each]
        if (type_ := named_slice(program, member.type))
    }


def named_slice(program: Program, type_: int) -> int:
    """What a member or the values of its map are, if that is a message of its own (ExtraValue); 0 else."""
    type_ = program.element(type_) if program.kind(type_) == MAP else type_
    is_one = program.kind(type_) == SLICE and program.name(type_) and program.package(type_).startswith(PACKAGES)
    return type_ if is_one else 0


def short(program: Program, type_: int) -> str:
    path = program.package(type_).replace("/", ".").replace("k8s.io.", "io.k8s.", 1)
    name = f"{path}.{program.name(type_).partition('.')[2]}"
    for long, brief in SHORT:
        name = name.replace(long, brief)
    return name


def field(program: Program, member: Member) -> str:
    """What the tag says of labels is not always true, so the type is asked whether the field is repeated."""
    number, tag = NUMBER.search(member.tag), JSON.search(member.tag)
    if number is None or tag is None:
        return ""
    options = tag[2].split(",")
    kind, repeated = wire_type(program, member.type)
    flags = "*" * (program.kind(member.type) == POINTER) + "!" * (not {"omitempty", "omitzero"} & {*options}) + "+" * repeated
    if tag[1]:
        return f"{tag[1]}={number[1]}{flags}:{kind}"
    return f"{member.name[0].lower()}{member.name[1:]}={number[1]}{flags}~:{kind}"


def wire_type(program: Program, type_: int) -> tuple[str, bool]:
    kind = program.kind(type_)
    if kind == POINTER:
        return wire_type(program, program.element(type_))
    if kind == SLICE and not program.name(type_):
        element = program.element(type_)
        return ("y", False) if program.kind(element) == UINT8 else (wire_type(program, element)[0], True)
    if kind == MAP:
        return f"m{wire_type(program, program.element(type_))[0]}", False
    return (short(program, type_) if kind in (STRUCT, SLICE) else SCALARS[kind]), False


def numbers(fields: list[str]) -> set[int]:
    return {int(re.match(r"[^=]+=(\d+)", each)[1]) for each in fields}  # type: ignore[index]


def extended(known: dict[str, list[str]], found: dict[str, list[str]], wanted: set[str]) -> dict[str, list[str]]:
    """`wanted` are definitions of schemas."""
    table = {name: [*fields] for name, fields in known.items()}
    of_api = [name for name in found if found[name] or not name.startswith(("meta.", "io."))]
    open_names = [name for name in of_api if name in known or definition_name(name) in wanted]
    while open_names:
        name = open_names.pop()
        fields = table.setdefault(name, [])
        fields += [each for each in found[name] if not numbers([each]) & numbers(fields)]
        types = {each.partition(":")[2].removeprefix("m") if ":meta" not in each else each.partition(":")[2] for each in fields}
        open_names += [each for each in types if each in found and each not in table]
    return table


def main(program: Path) -> None:
    lines = TABLE.read_text().splitlines()
    head = [line for line in lines if line.startswith("#")]
    known = {line.split()[0]: line.split()[1:] for line in lines if not line.startswith("#")}
    wanted = {name for minor in range(25, 38) for name in load_schema(f"1.{minor}").definitions if not name.endswith("List")}
    table = extended(known, messages(Program(program)), wanted)
    order = [*known, *sorted(set(table) - set(known))]
    TABLE.write_text("\n".join([*head, *(" ".join([name, *table[name]]) for name in order)]) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
