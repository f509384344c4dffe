"""Field selectors: `metadata.name=web,status.phase!=Running`. Every term must hold."""

from collections.abc import Mapping

from proa.api.errors import BadRequest
from proa.lib.dataclass import dataclass
from proa.lib.remembered import remembered


@dataclass(frozen=True, slots=True)
class FieldRequirement:
    field: str
    operator: str
    """`=` or `!=`."""
    value: str


@dataclass(frozen=True, slots=True)
class FieldSelector:
    requirements: tuple[FieldRequirement, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.requirements)

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Whether an object with these field values is selected; an absent field reads as the empty string."""
        return all((fields.get(term.field, "") == term.value) == (term.operator == "=") for term in self.requirements)

    def exact(self, field: str) -> str | None:
        """The one value that `field` must have, if the selector says so."""
        return next((term.value for term in self.requirements if term.field == field and term.operator == "="), None)

    def renamed(self, names: Mapping[str, str]) -> "FieldSelector":
        """The same selector for who calls its fields by other names."""
        if not any(term.field in names for term in self.requirements):
            return self
        return FieldSelector(
            tuple(FieldRequirement(names.get(term.field, term.field), term.operator, term.value) for term in self.requirements)
        )


@remembered(1024)
def parse_field_selector(text: str) -> FieldSelector:
    """Raises BadRequest. Values escape `,`, `=` and `\\` with a backslash."""
    return FieldSelector(tuple(_parse_term(term) for term in _split_terms(text) if term))


def _split_terms(text: str) -> list[str]:
    terms, start, escaped = [], 0, False
    for index, character in enumerate(text):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == ",":
            terms.append(text[start:index])
            start = index + 1
    return [*terms, text[start:]]


def _parse_term(term: str) -> FieldRequirement:
    for index in range(len(term)):
        for operator in ("!=", "==", "="):
            if term.startswith(operator, index):
                value = _unescape(term[index + len(operator) :])
                return FieldRequirement(term[:index], "!=" if operator == "!=" else "=", value)
    raise BadRequest(f"invalid selector: '{term}'; can't understand '{term}'")


def _unescape(value: str) -> str:
    characters, escaped = [], False
    for character in value:
        if escaped:
            if character not in "\\,=":
                raise BadRequest(f"invalid field selector: invalid escape sequence: \\{character}")
            characters.append(character)
            escaped = False
        elif character == "\\":
            escaped = True
        elif character in ",=":
            raise BadRequest(f"invalid field selector: unescaped character in value: {character}")
        else:
            characters.append(character)
    if escaped:
        raise BadRequest("invalid field selector: invalid escape sequence: \\")
    return "".join(characters)
