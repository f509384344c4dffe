"""CEL: texts, and expressions joined from tokens, are compiled with typed and untyped variables and evaluated within a limit of cost."""

from contextlib import suppress
from functools import cache

from fuzz.drawn import Drawn
from proa.api.cel.environment import Environment
from proa.api.cel.errors import CompileError, EvaluationError
from proa.api.cel.types import DYN
from proa.apiserver.crd.cel.environment import Scope, scope_of

LIMIT = 100_000
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20}, "count": {"type": "integer"}, "ratio": {"type": "number"}, "on": {"type": "boolean"},
        "at": {"type": "string", "format": "date-time"}, "data": {"type": "string", "format": "byte"},
        "list": {"type": "array", "maxItems": 5, "items": {"type": "string"}},
        "map": {"type": "object", "additionalProperties": {"type": "integer"}},
        "port": {"x-kubernetes-int-or-string": True}, "in": {"type": "string"}, "for": {"type": "duration"},
    },
}  # fmt: skip
VALUE = {
    "name": "web-1", "count": 2**63 - 1, "ratio": 0.5, "on": True, "at": "2026-01-01T00:00:00Z", "data": "YQ==",
    "list": ["a", "b", "\u00e9"],
    "map": {"a": 1, "b": -1}, "port": "http", "in": "x",
}  # fmt: skip
_WRITTEN = (
    "self self.name self.count self.ratio self.on self.at self.data self.list self.map self.port self.__in__ self.list[0] self.map['a'] "
    "oldSelf x y true false null 0 1 -1 9223372036854775807 1u 1.5 1e300 -0.0 'a' '' b'a' '\\u00e9' r'(a+)+$' '[' 'a.b' '%d %s %b' '1Gi' "
    "'10.0.0.0/8' 'http://x:1/?q' '1.2.3' '5s' '2026-01-01T00:00:00Z' 'UTC' + - * / % == != < <= > >= && || ! ? : ( ) [ ] { } , . in "
    "size( string( int( uint( double( bytes( duration( timestamp( dyn( type( quantity( url( ip( cidr( isQuantity( semver( sets.contains( "
    "math.greatest( optional.of( has( .all(x, .exists(x, .exists_one(x, .map(x, .filter(x, .all(x,y, .matches( .find( .findAll( .format( "
    ".split( .join( .replace( .substring( .charAt( .indexOf( .lowerAscii() .startsWith( .isSorted() .sum() .min() .max() .sort() .slice( "
    ".reverse() .flatten( .distinct() .orValue( .?name [?'a'] .hasValue() .value() .getFullYear( .getHours( .asInteger() .add( .compareTo( "
    ".getHost() .containsIP( .prefixLength() lists.range( base64.decode( strings.quote( format.dns1123Label()"
)  # fmt: skip
TOKENS = tuple(_WRITTEN.split())


@cache
def environments() -> tuple[Environment, ...]:
    scope: Scope = scope_of(SCHEMA, root=False)
    return scope.environment(), scope.environment(optional_old=True), Environment({"self": DYN, "oldSelf": DYN}, patches=True)


@cache
def scope() -> Scope:
    return scope_of(SCHEMA, root=False)


def one(data: bytes) -> None:
    if data[:1] == b"\xff":
        drawn = Drawn(data[1:])
        text = ""
        while not drawn.is_at_end:
            text += drawn.choice(TOKENS) + " "
    else:
        text = data.decode("utf-8", "replace")
    for environment in environments():
        try:
            program = environment.compile(text)
        except CompileError:
            continue
        scope().estimate(program)
        with suppress(EvaluationError):
            program.evaluate({"self": VALUE, "oldSelf": VALUE}, LIMIT)
