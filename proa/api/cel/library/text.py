"""The extension of strings: positions, pieces, replacement, case, format. Source: cel-go ext/strings, version 2."""

from __future__ import annotations

import math
from typing import Any

from proa.api.cel.errors import EvaluationError
from proa.api.cel.functions import Function, overload
from proa.api.cel.library.costs import elements, of_first, of_result_twice, twice_first
from proa.api.cel.library.standard import double_text, text_of, type_name
from proa.api.cel.types import DYN, INT, STRING, Type, list_of
from proa.api.cel.values import Duration, Timestamp, TypeValue, Uint

_WHITE = " \t\n\v\f\r\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"


def _within(text: str, position: int, *, last: bool = True) -> int:
    if not 0 <= position <= len(text) - (0 if last else 1):
        raise EvaluationError(f"index out of range: {position}")
    return position


def _char_at(text: str, position: int) -> str:
    return text[_within(text, position) :][:1]


def _index_of(text: str, part: str, start: int = 0) -> int:
    return text.find(part, _within(text, start))


def _last_index_of(text: str, part: str, start: int | None = None) -> int:
    return text.rfind(part) if start is None else text.rfind(part, 0, _within(text, start) + len(part))


def _join(items: list[Any], separator: str = "") -> str:
    if not all(each.__class__ is str for each in items):
        raise EvaluationError("no such overload")
    return separator.join(items)


def _replace(text: str, old: str, new: str, count: int = -1) -> str:
    return text.replace(old, new, count)


def _split(text: str, separator: str, count: int = -1) -> list[str]:
    if count == 0:
        return []
    if count == 1:
        return [text]
    if not separator:
        return list(text) if count < 0 or count >= len(text) else [*text[: count - 1], text[count - 1 :]]
    return text.split(separator, count - 1 if count > 0 else -1)


def _substring(text: str, start: int, end: int | None = None) -> str:
    stop = len(text) if end is None else end
    _within(text, start)
    _within(text, stop)
    if start > stop:
        raise EvaluationError(f"invalid substring range. start: {start}, end: {stop}")
    return text[start:stop]


def _lower(text: str) -> str:
    return "".join(chr(ord(each) + 32) if "A" <= each <= "Z" else each for each in text)


def _upper(text: str) -> str:
    return "".join(chr(ord(each) - 32) if "a" <= each <= "z" else each for each in text)


_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\", '"': '\\"'}


def quote(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(each, each) for each in text) + '"'


def _format(text: str, arguments: list[Any]) -> str:
    made: list[str] = []
    at = used = 0
    while at < len(text):
        if text[at] != "%":
            made.append(text[at])
            at += 1
            continue
        at += 1
        if at >= len(text):
            raise EvaluationError("unexpected end of string")
        if text[at] == "%":
            made.append("%")
            at += 1
            continue
        precision, at = _precision(text, at)
        if used >= len(arguments):
            raise EvaluationError(f"index {used} out of range")
        made.append(_clause(text[at : at + 1], arguments[used], precision))
        at, used = at + 1, used + 1
    return "".join(made)


def _precision(text: str, at: int) -> tuple[int | None, int]:
    if text[at] != ".":
        return None, at
    end = at + 1
    while end < len(text) and text[end].isdigit():
        end += 1
    if end == at + 1:
        raise EvaluationError("could not parse formatting clause: error while parsing precision: could not parse precision")
    return int(text[at + 1 : end]), end


def _clause(verb: str, value: Any, precision: int | None) -> str:
    if verb == "s":
        return _shown(value)
    kind = value.__class__
    if verb == "d":
        if kind in (int, Uint):
            return str(int(value))
        if kind is float and not math.isfinite(value):
            return _special(value)
        raise _bad("decimal clause", "integers", value)
    if verb in ("f", "e"):
        if kind in (int, Uint, float) and math.isfinite(value):
            return f"{float(value):.{6 if precision is None else precision}{verb}}"
        if kind is float:
            return _special(value)
        raise _bad("fixed-point clause" if verb == "f" else "scientific clause", "doubles", value)
    if verb == "b":
        if kind in (int, Uint, bool):
            return f"{int(value):b}"
        raise _bad("binary clause", "integers and bools", value)
    if verb in ("x", "X"):
        return _hexadecimal(verb, value)
    if verb == "o":
        if kind in (int, Uint):
            return f"{int(value):o}"
        raise _bad("octal clause", "integers", value)
    raise EvaluationError(f'could not parse formatting clause: unrecognized formatting clause "{verb}"')


def _hexadecimal(verb: str, value: Any) -> str:
    if value.__class__ in (int, Uint):
        return f"{int(value):{verb}}"
    if isinstance(value, str | bytes):
        told = (value.encode() if isinstance(value, str) else value).hex()
        return told.upper() if verb == "X" else told
    raise _bad("hex clause", "integers, byte buffers, and strings", value)


def _bad(clause: str, allowed: str, value: Any) -> EvaluationError:
    return EvaluationError(f"error during formatting: {clause} can only be used on {allowed}, was given {type_name(value)}")


def _special(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if value.__class__ is float:
        return double_text(value) if math.isfinite(value) else _special(value)
    if isinstance(value, str | bool | int | bytes | Duration | Timestamp | TypeValue):
        return text_of(value)
    if value.__class__ is list:
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, dict):
        entries = sorted((_shown(key), _shown(each)) for key, each in value.items())
        return "{" + ", ".join(f"{key}: {each}" for key, each in entries) + "}"
    raise EvaluationError(
        f"error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given {type_name(value)}"  # noqa: E501
    )


def _function(name: str, run: Any, result: Type, *signatures: tuple[Type, ...], cost: Any = None) -> Function:
    return Function(name, tuple(overload(name, each, result, run, member=True) for each in signatures), cost)


_S, _I = STRING, INT
FUNCTIONS = (
    _function("charAt", _char_at, STRING, (_S, _I)),
    _function("indexOf", _index_of, INT, (_S, _S), (_S, _S, _I), cost=elements),
    _function("lastIndexOf", _last_index_of, INT, (_S, _S), (_S, _S, _I), cost=elements),
    _function("join", _join, STRING, (list_of(_S),), (list_of(_S), _S), cost=of_result_twice),
    _function("lowerAscii", _lower, STRING, (_S,), cost=of_first),
    _function("upperAscii", _upper, STRING, (_S,), cost=of_first),
    _function("replace", _replace, STRING, (_S, _S, _S), (_S, _S, _S, _I), cost=twice_first),
    _function("split", _split, list_of(_S), (_S, _S), (_S, _S, _I), cost=twice_first),
    _function("substring", _substring, STRING, (_S, _I), (_S, _I, _I), cost=of_first),
    _function("trim", lambda text: text.strip(_WHITE), STRING, (_S,), cost=of_first),
    _function("format", _format, STRING, (_S, list_of(DYN)), cost=of_result_twice),
    Function("strings.quote", (overload("strings.quote", (_S,), STRING, quote),), of_first),
)
