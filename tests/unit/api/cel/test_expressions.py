"""What expressions evaluate to, what they cost, and in which words they are refused."""

import asyncio
from typing import Any

import pytest

from proa.api.cel.environment import Environment, decided
from proa.api.cel.errors import CompileError, CostExceeded, EvaluationError
from proa.api.cel.json_value import NotJson, to_json
from proa.api.cel.library.authorizer import AUTHORIZER, AuthorizerValue, Check, DecisionValue
from proa.api.cel.types import BOOL, DYN, INT, STRING, Field, Type, list_of, map_of, object_type
from proa.api.cel.values import NOTHING, Duration, Timestamp

OBJECT = object_type("Object", {"spec": object_type("Object.spec", {"replicas": INT})})
ENVIRONMENT = Environment(
    {"x": DYN, "n": INT, "s": STRING, "l": list_of(INT), "m": map_of(STRING, STRING), "absent": INT},
    message={"Object": OBJECT, "Object.spec": OBJECT.fields["spec"].type}.get,
    patches=True,
)
DATA = {"x": {"a": [3, 1, 2], "b": {"c": "d"}, "n": None}, "n": 5, "s": "hello", "l": [1, 2, 3], "m": {"k": "v"}}

VALUES: list[tuple[str, Any]] = [
    ("1 + 2 * 3", 7),
    ("-7 / 2", -3),
    ("-7 % 2", -1),
    ("n == 5 && n < 5.5", True),
    ("x.a.all(i, i > 0)", True),
    ("x.a.exists(i, i == 2)", True),
    ("l.exists_one(i, i == 2)", True),
    ("x.a.map(i, i * 2)", [6, 2, 4]),
    ("x.a.filter(i, i > 1)", [3, 2]),
    ("l.map(i, i > 1, string(i)).join(',')", "2,3"),
    ("[1, 2].all(i, v, i < v)", True),
    ("{'a': 1, 'b': 2}.transformMap(k, v, v + 1)", {"a": 2, "b": 3}),
    ("l.transformList(i, v, i * v)", [0, 2, 6]),
    ("l.transformMapEntry(i, v, {string(v): i})", {"1": 0, "2": 1, "3": 2}),
    ("has(x.nothing)", False),
    ("has(x.b.c) && x.b.c == 'd'", True),
    ("x.?b.?c.orValue('z')", "d"),
    ("x.?b.?z.orValue('z')", "z"),
    ("m[?'zz'].hasValue()", False),
    ("optional.of(1).optMap(v, v + 1).value()", 2),
    ("[?optional.none(), ?optional.of(1)]", [1]),
    ("{?'a': optional.of(1), ?'b': optional.none()}", {"a": 1}),
    ("optional.ofNonZeroValue('')", NOTHING),
    ("s.matches('^h.*o$') && matches(s, 'l+')", True),
    ("s.find('[a-z]l+')", "ell"),
    ("'a1b22'.findAll('[0-9]+')", ["1", "22"]),
    ("'a1b22'.findAll('[0-9]+', 1)", ["1"]),
    ("'a,b,c'.split(',', 2)", ["a", "b,c"]),
    ("'abc'.charAt(1) + 'abc'.substring(1) + ' X '.trim().lowerAscii()", "bbcx"),
    ("'tacocat'.lastIndexOf('c') - 'tacocat'.indexOf('c')", 2),
    ("'%s has %d of %.1f: %s'.format(['a', 1, 1.5, [true]])", "a has 1 of 1.5: [true]"),
    ("strings.quote('a\"b')", '"a\\"b"'),
    ("l.sum() + l.max() + l.min() + l.indexOf(3)", 12),
    ("['b', 'a'].isSorted()", False),
    ("sets.contains([1, 2], [1]) && !sets.intersects([1], [2]) && sets.equivalent([1, 1], [1])", True),
    ("quantity('1Gi').isGreaterThan(quantity('500Mi'))", True),
    ("quantity('1.5').add(quantity('500m')).sub(1).asInteger()", 1),
    ("isQuantity('20Mi') && !isQuantity('abc')", True),
    ("ip('10.0.0.1').family() + ip('::1').family()", 10),
    ("isIP('::ffff:1.2.3.4') || isIP('010.0.0.1')", False),
    ("ip.isCanonical('2001:DB8::1')", False),
    ("cidr('10.0.0.0/8').containsIP('10.2.3.4') && cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')", True),
    ("string(cidr('10.1.2.3/8').masked()) + string(cidr('10.0.0.0/8').ip())", "10.0.0.0/810.0.0.0"),
    ("url('https://a.b:80/p?q=1').getHostname() + url('https://a.b:80/p').getPort()", "a.b80"),
    ("url('https://[::1]:80/p%20q').getHost() + url('https://x/p%20q').getEscapedPath()", "[::1]:80/p%20q"),
    ("isURL('../x')", False),
    ("format.dns1123Label().validate('Bad').hasValue()", True),
    ("format.named('dns1123Label').value().validate('good').hasValue()", False),
    ("format.named('nothing').hasValue()", False),
    ("semver('1.2.3').isLessThan(semver('1.3.0-rc.1')) && semver('1.0.0-rc.1').isLessThan(semver('1.0.0'))", True),
    ("isSemver('v1.0', true) && !isSemver('v1.0')", True),
    ("semver('v01.2', true).major()", 1),
    ("type(1) == int && type('a') == string && type([]) == list", True),
    ("duration('1h30m').getMinutes()", 90),
    ("timestamp('2020-01-02T03:04:05Z').getDayOfWeek()", 4),
    ("timestamp('2020-01-02T03:04:05Z').getHours('+02:00')", 5),
    ("timestamp('1970-01-01T00:00:00Z') + duration('1s')", Timestamp(10**9)),
    ("duration('1500ms')", Duration(1_500_000_000)),
    ("string(duration('1500ms')) + string(timestamp('2020-01-02T03:04:05.5Z'))", "1.5s2020-01-02T03:04:05.5Z"),
    ("int('42') + int(4.9) + int(timestamp('1970-01-01T00:00:07Z'))", 53),
    ("string(1.0) + string(1.5) + string(true) + string(b'x')", "11.5truex"),
    ("dyn(1) == 'a'", False),
    ("dyn([1, 2]) == dyn([1.0, 2.0])", True),
    ("false && x.nope", False),
    ("x.nope || true", True),
    ("l.exists(i, x.nope || i == 3)", True),
    ("x.n == null", True),
    ("1 in l && 'k' in m && !('z' in m)", True),
    ("jsonpatch.escapeKey('a/b~')", "a~1b~0"),
    ("true ? 1 : absent", 1),
]


@pytest.mark.parametrize(("source", "value"), VALUES, ids=[source for source, _ in VALUES])
def test_values(source: str, value: Any) -> None:
    found = ENVIRONMENT.compile(source).evaluate(DATA)
    assert (found, found.__class__) == (value, value.__class__)


def test_objects_of_patches_are_maps_that_know_their_types() -> None:
    made = ENVIRONMENT.compile("Object{spec: Object.spec{replicas: 1}}").evaluate({})
    assert (made, made.type_name, made["spec"].type_name) == ({"spec": {"replicas": 1}}, "Object", "Object.spec")
    assert to_json(made) == {"spec": {"replicas": 1}}


def test_an_object_in_the_wrong_place_is_no_json() -> None:
    anything = {"spec": Field(DYN, "spec")}
    made = Environment({}, message=lambda name: Type("object", name, fields=anything)).compile("Object{spec: Object{spec: 1}}")
    text = 'type mismatch: unexpected type name "Object", expected "Object.spec", which matches field name path from root Object type'
    with pytest.raises(NotJson, match=text):
        to_json(made.evaluate({}))


FAILURES = [
    ("x.nothing", "no such key: nothing"),
    ("x.n.y", "no such key: y"),
    ("x.a[5]", "index out of bounds: 5"),
    ("m['zz']", "no such key: zz"),
    ("1 / 0", "division by zero"),
    ("1 % 0", "modulus by zero"),
    ("9223372036854775807 + 1", "integer overflow"),
    ("int('x')", 'strconv.ParseInt: parsing "x": invalid syntax'),
    ("x.a + 1", "no such overload"),
    ("true && x.nope", "no such key: nope"),
    ("x.a.map(i, i.foo)", "no such key: foo"),
    ("x.a.all(i, i.foo == 1)", "no such key: foo"),
    ("optional.none().value()", "optional.none() dereference"),
    ("quantity('x')", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
    ("absent == 1", "no such attribute(s): absent"),
    ("'abc'.substring(2, 1)", "invalid substring range. start: 2, end: 1"),
    ("dyn('a') < dyn(1)", "no such overload"),
]


@pytest.mark.parametrize(("source", "text"), FAILURES, ids=[source for source, _ in FAILURES])
def test_failures(source: str, text: str) -> None:
    with pytest.raises(EvaluationError) as raised:
        ENVIRONMENT.compile(source).evaluate(DATA)
    assert str(raised.value) == text


REFUSED = [
    ("n + 'a'", "1:3: found no matching overload for '_+_' applied to '(int, string)'"),
    ("n == 5.0", "1:3: found no matching overload for '_==_' applied to '(int, double)'"),
    ("s.contains(1)", "1:11: found no matching overload for 'contains' applied to 'string.(int)'"),
    ("[1, 'a']", "1:5: expected type 'int' but found 'string'"),
    ("{'a': 1, 'b': 'x'}", "1:15: expected type 'int' but found 'string'"),
    ("y.z", "1:1: undeclared reference to 'y' (in container '')"),
    ("foo(1)", "1:4: undeclared reference to 'foo' (in container '')"),
    ("n.foo", "1:2: type 'int' does not support field selection"),
    ("s.matches('[')", "1:11: invalid matches argument"),
    ("duration('x')", "1:10: invalid duration argument"),
    ("Object{spec: Object.spec{replica: 1}}", "1:33: undefined field 'replica'"),
    ("Object{spec: Object.spec{replicas: 'a'}}", "1:34: expected type of field 'replicas' is 'int' but provided type is 'string'"),
    ("Other{}", "1:1: undeclared reference to 'Other' (in container '')"),
    ("n.all(i, true)", "1:1: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)"),
    ("l.all(i, i)", "1:6: found no matching overload for '_&&_' applied to '(bool, int)'"),
    ("[[1]].sum()", "1:10: found no matching overload for 'sum' applied to 'list(list(int)).()'"),
    ("1 +\nq", "2:1: undeclared reference to 'q' (in container '')"),
    ("1 +", "1:4: Syntax error: mismatched input '<EOF>' expecting"),
]


@pytest.mark.parametrize(("source", "text"), REFUSED, ids=[source for source, _ in REFUSED])
def test_what_does_not_compile(source: str, text: str) -> None:
    with pytest.raises(CompileError) as raised:
        ENVIRONMENT.compile(source)
    assert str(raised.value).startswith(f"compilation failed: ERROR: <input>:{text}")


def test_an_error_shows_its_place() -> None:
    with pytest.raises(CompileError) as raised:
        ENVIRONMENT.compile("true &&\n  q")
    text = "compilation failed: ERROR: <input>:2:3: undeclared reference to 'q' (in container '')\n |   q\n | ..^"
    assert str(raised.value) == text


@pytest.mark.parametrize(("source", "result"), [("n", BOOL), ("x", BOOL), ("l", STRING)])
def test_results_are_of_the_wanted_type(source: str, result: Type) -> None:
    with pytest.raises(CompileError, match="must evaluate to"):
        ENVIRONMENT.compile(source, result)


COSTS = [("n > 3", 2), ("x.a.all(i, i > 0)", 18), ("s.contains('l')", 2), ("[1, 2]", 10), ("{'a': 1}", 30), ("'a' + s", 2)]


@pytest.mark.parametrize(("source", "cost"), COSTS)
def test_costs(source: str, cost: int) -> None:
    assert ENVIRONMENT.compile(source).measured(DATA)[1] == cost


def test_no_expression_runs_on_and_on() -> None:
    program = ENVIRONMENT.compile("x.all(a, x.all(b, x.all(c, a + b + c >= 0)))")
    with pytest.raises(CostExceeded, match="operation cancelled: actual cost limit exceeded"):
        program.evaluate({"x": list(range(1000))})
    absorbed = ENVIRONMENT.compile("x.all(a, x.all(b, x.all(c, c >= 0))) || true")
    with pytest.raises(CostExceeded):
        absorbed.evaluate({"x": list(range(1000))}, limit=1000)


def test_a_list_of_thousands_is_no_problem() -> None:
    items = list(range(20_000))
    assert ENVIRONMENT.compile("x.filter(i, i % 2 == 0).map(i, i + 1).size()").evaluate({"x": items}) == 10_000


def test_checks_of_the_authorizer_are_awaited() -> None:
    asked: list[Check] = []

    async def decide(check: Check) -> DecisionValue:
        asked.append(check)
        await asyncio.sleep(0)
        return DecisionValue(check.resource == "pods", "because")

    source = "a.group('').resource('pods').namespace('d').check('get').allowed() && !a.path('/x').check('get').allowed()"
    program = Environment({"a": AUTHORIZER}).compile(source, BOOL)
    authorizer = AuthorizerValue()
    assert asyncio.run(decided(lambda: program.evaluate({"a": authorizer}), authorizer, decide)) is True
    assert asked == [Check("get", resource="pods", namespace="d"), Check("get", path="/x")]
