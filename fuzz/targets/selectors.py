"""Label and field selectors: a label selector means the same when it is printed and read again."""

from proa.api.errors import BadRequest
from proa.api.fields import parse_field_selector
from proa.api.labels import parse_selector

SETS: tuple[dict[str, str], ...] = (
    {},
    {"app": "web"},
    {"app": "5", "a": ""},
    {"kubernetes.io/name": "-"},
    {"a": "0005", "b": "99999999999999999999"},
)


def one(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    try:
        selector = parse_selector(text)
    except BadRequest:
        pass
    else:
        again = parse_selector(str(selector))
        for labels in SETS:
            assert again.matches(labels) == selector.matches(labels), (text, str(selector))
    try:
        fields = parse_field_selector(text)
    except BadRequest:
        return
    for labels in SETS:
        fields.matches(labels)
    fields.renamed({"metadata.name": "name"})
