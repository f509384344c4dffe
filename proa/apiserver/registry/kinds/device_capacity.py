"""How much of a shared device's capacity a request may take: one of some values, or a range in steps (KEP-5075)."""

from typing import Any

from proa.api.errors import Cause, duplicate, forbidden, invalid, required
from proa.api.meta import Object
from proa.api.quantity import Quantity, parse
from proa.apiserver.registry.checks import too_many

MAX_OPTIONS = 10


def check_request_policy(capacity: Any, policy: Object, path: str) -> list[Cause]:
    values, span, default = policy.get("validValues") or [], policy.get("validRange"), policy.get("default")
    if values and span is not None:
        detail = 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time'
        return [forbidden(path, detail)]
    if not values and span is None:
        return []
    if default is None:
        return [required(f"{path}.default", f"required when {'validValues' if values else 'validRange'} is defined")]
    most, chosen = parse(capacity), parse(default)
    if values:
        return _check_values(values, most, chosen, f"{path}.validValues")
    return _check_range(span or {}, most, chosen, f"{path}.validRange")


def _check_values(values: list[Any], most: Quantity, default: Quantity, path: str) -> list[Cause]:
    amounts = [parse(value) for value in values]
    causes: list[Cause] = []
    causes += [
        invalid(f"{path}[{index}]", str(amounts[index]), "values must be sorted in ascending order")
        for index in range(1, len(amounts))
        if amounts[index - 1].nano > amounts[index].nano
    ]
    causes += too_many(path, len(values), MAX_OPTIONS)
    for index, amount in enumerate(amounts):
        if amount.nano > most.nano:
            causes.append(invalid(f"{path}[{index}]", str(amount), f"option is larger than capacity value: {most}"))
        if any(amount.nano == other.nano for other in amounts[:index]):
            causes.append(duplicate(f"{path}[{index}]", str(amount.value)))
    if all(amount.nano != default.nano for amount in amounts):
        causes.append(invalid(path, str(default), "default value is not valid according to the requestPolicy"))
    return causes


def _check_range(span: Object, most: Quantity, default: Quantity, path: str) -> list[Cause]:
    if span.get("min") is None:
        return [required(f"{path}.min", "required when validRange is defined")]
    low = parse(span["min"])
    causes: list[Cause] = []
    if low.nano > most.nano:
        causes.append(invalid(f"{path}.min", str(low), f"min is larger than capacity value: {most}"))
    if default.nano < low.nano:
        causes.append(invalid(f"{path}.min", str(default), f"default is less than min: {low}"))
    high = parse(span["max"]) if span.get("max") is not None else None
    if high is not None:
        if low.nano > high.nano:
            causes.append(invalid(f"{path}.max", str(low), f"min is larger than max: {high}"))
        if high.nano > most.nano:
            causes.append(invalid(f"{path}.max", str(high), f"max is larger than capacity value: {most}"))
        if default.nano > high.nano:
            causes.append(invalid(f"{path}.max", str(default), f"default is more than max: {high}"))
    if span.get("step") is not None:
        causes += _check_steps(parse(span["step"]), low, most, [default, *([high] if high else [])], f"{path}.step")
    return causes


def _check_steps(step: Quantity, low: Quantity, most: Quantity, ends: list[Quantity], path: str) -> list[Cause]:
    first = low + step
    causes: list[Cause] = []
    if first.nano > most.nano:
        causes.append(invalid(path, str(step), f"one step {first} is larger than capacity value: {most}"))
    causes += [
        invalid(path, str(end), f"value is not a multiple of a given step ({step}) from ({low})")
        for end in ends
        if step.value and (end.value - low.value) % step.value
    ]
    return causes
