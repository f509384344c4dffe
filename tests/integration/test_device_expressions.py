"""CEL expressions of device selectors are compiled when a class, a claim or a template is written (KEP-4381)."""

from typing import Any

import pytest

from tests.integration.conftest import Api, Run
from tests.integration.refusals import causes

GROUP = "/apis/resource.k8s.io/v1"
SELECTOR = "cel.expression"


def selecting(expression: str) -> list[dict[str, Any]]:
    return [{"cel": {"expression": expression}}]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('device.driver == "gpu.example"', []),
        ('device.attributes["gpu.example"].model == "a"', []),
        ('device.attributes["gpu.example"].healthy', []),
        ('device.capacity["gpu.example"].memory.compareTo(quantity("10Gi")) >= 0', []),
        ('"gpu.example" in device.attributes && device.attributes["gpu.example"].version.isGreaterThan(semver("1.0.0"))', []),
        ("", ["Required value"]),
        ("device.driver", ['Invalid value: "device.driver": must evaluate to bool or the unknown type, not string']),
        ("device.vendor == 1", [
            'Invalid value: "device.vendor == 1": compilation failed: ERROR: <input>:1:7: undefined field \'vendor\'\n'
            " | device.vendor == 1\n | ......^"]),
        ("no.such", [
            'Invalid value: "no.such": compilation failed: ERROR: <input>:1:1: undeclared reference to \'no\' (in container \'\')\n'
            " | no.such\n | ^"]),
        ("x" * 10241, ["Too long: may not be more than 10240 bytes"]),
        ("device.attributes.all(a, device.attributes.all(b, device.attributes.all(c, device.attributes.all(d, a + b + c == d))))",
         ["Forbidden: too complex, exceeds cost limit"]),
    ],
)  # fmt: skip
def test_expressions(run: Run, expression: str, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        body: dict[str, Any] = {"metadata": {"name": "c"}, "spec": {"selectors": selecting(expression)}}
        path = f"spec.selectors[0].{SELECTOR}"
        assert causes(await api("POST", f"{GROUP}/deviceclasses", body)) == [f"{path}: {each}" for each in expected]
        request = {"name": "r", "exactly": {"deviceClassName": "c", "selectors": selecting(expression)}}
        body["spec"] = {"devices": {"requests": [request]}}
        path = f"spec.devices.requests[0].exactly.selectors[0].{SELECTOR}"
        answer = await api("POST", f"{GROUP}/namespaces/default/resourceclaims", body)
        assert causes(answer) == [f"{path}: {each}" for each in expected]

    run(scenario)
