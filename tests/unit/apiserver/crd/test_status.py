"""Names, conditions and the beginning of a deletion."""

from typing import Any

import pytest

from proa.apiserver.crd.status import FINALIZER, desired_status, find_condition, is_settled, mark_terminating

NOW, LATER = "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"
NAMES = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList", "shortNames": ["w", "wd"]}


def definition(**more: Any) -> dict[str, Any]:
    return {"metadata": {"name": "widgets.e.com"}, "spec": {"group": "e.com", "names": NAMES}, **more}


@pytest.mark.parametrize(
    ("others", "reason", "message", "missing"),
    [
        ([], "NoConflicts", "no conflicts found", set()),
        ([{"plural": "widgets"}], "PluralConflict", '"widgets" is already in use', {"plural"}),
        ([{"singular": "widget"}], "SingularConflict", '"widget" is already in use', {"singular"}),
        ([{"shortNames": ["w"]}], "ShortNamesConflict", '"w" is already in use', {"shortNames"}),
        (
            [{"shortNames": ["w"]}, {"plural": "wd"}],
            "ShortNamesConflict",
            '["w" is already in use, "wd" is already in use]',
            {"shortNames"},
        ),
        ([{"kind": "Widget"}], "KindConflict", '"Widget" is already in use', {"kind"}),
        ([{"kind": "Widget", "listKind": "WidgetList"}], "ListKindConflict", '"WidgetList" is already in use', {"kind", "listKind"}),
    ],
)
def test_names(others: list[dict[str, object]], reason: str, message: str, missing: set[str]) -> None:
    status = desired_status(definition(), others, NOW)
    accepted = not missing
    assert status["acceptedNames"] == {field: name for field, name in NAMES.items() if field not in missing}
    assert status["conditions"] == [
        {"type": "NamesAccepted", "status": str(accepted), "reason": reason, "message": message, "lastTransitionTime": NOW},
        {
            "type": "Established", "status": str(accepted), "lastTransitionTime": NOW,
            "reason": "InitialNamesAccepted" if accepted else "NotAccepted",
            "message": "the initial names have been accepted" if accepted else "not all names are accepted",
        },
    ]  # fmt: skip


def test_what_is_established_stays_so_with_the_names_it_has() -> None:
    status = desired_status(definition(), [], NOW)
    renamed = definition(status=status) | {"spec": {"group": "e.com", "names": {**NAMES, "shortNames": ["x"]}}}
    after = desired_status(renamed, [{"plural": "x"}], LATER)
    assert after["acceptedNames"] == NAMES
    told = {each["type"]: (each["status"], each["lastTransitionTime"]) for each in after["conditions"]}
    assert told == {"NamesAccepted": ("False", LATER), "Established": ("True", NOW)}


def test_nothing_changes_where_nothing_is_new() -> None:
    status = desired_status(definition(), [], NOW)
    assert desired_status(definition(status=status), [], LATER) == status


def test_a_bundle_that_is_none_keeps_a_definition_from_being_established() -> None:
    crd = definition()
    crd["spec"] = crd["spec"] | {"conversion": {"webhook": {"clientConfig": {"caBundle": "eA=="}}}}
    status = desired_status(crd, [], NOW)
    established = find_condition(status, "Established")
    assert established is not None
    told = (established["status"], established["reason"], established["message"])
    assert told == ("False", "InvalidCABundle", "The conversion webhook CABundle is invalid")
    crd["spec"] = crd["spec"] | {"conversion": {"strategy": "None"}}
    established = find_condition(desired_status(crd | {"status": status}, [], LATER), "Established")
    assert established is not None
    assert established["status"] == "True"


def test_protected_groups_tell_whether_they_are_approved() -> None:
    annotations = {"api-approved.kubernetes.io": "https://github.com/kubernetes/enhancements/pull/1"}
    crd = definition() | {"metadata": {"annotations": annotations}, "spec": {"group": "x.k8s.io", "names": NAMES}}
    approved = find_condition(desired_status(crd, [], NOW), "KubernetesAPIApprovalPolicyConformant")
    assert approved is not None
    assert (approved["status"], approved["reason"]) == ("True", "ApprovedAnnotation")


def test_a_deletion_begins_with_the_finalizer_and_happens_once() -> None:
    crd = definition()
    mark_terminating(crd, NOW)
    assert crd["metadata"]["finalizers"] == [FINALIZER]
    assert [(each["type"], each["status"], each["reason"]) for each in crd["status"]["conditions"]] == [
        ("Terminating", "True", "InstanceDeletionPending")
    ]
    under_way = {"metadata": {"deletionTimestamp": NOW}}
    mark_terminating(under_way, LATER)
    assert under_way == {"metadata": {"deletionTimestamp": NOW}}


def test_conditions_that_say_nothing_are_passed_over() -> None:
    status = desired_status(definition(status={"conditions": [{"message": "patched"}]}), [], NOW)
    assert [each.get("type") for each in status["conditions"]] == [None, "NamesAccepted", "Established"]
    assert not is_settled(definition(status={"conditions": [{"message": "patched"}]}))
