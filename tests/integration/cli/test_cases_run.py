"""`tenor cases run`: cases from files anywhere, run on the engine and scored."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.conftest import run

TIERS = {"tiers": [{"up_to": "10", "unit_amount": "5"}, {"up_to": None, "unit_amount": "2"}]}


def case(id_: str, **changes: Any) -> dict[str, Any]:
    """Return a case that passes, 10 × 5 + 5 × 2 = 60, with some of its keys replaced."""
    return {
        "id": id_,
        "kind": "rating",
        "profile": "standard",
        "class": "core",
        "model": "graduated",
        "properties": TIERS,
        "usage": {"units": "15"},
        "expect": {"amount": "60.00"},
        **changes,
    }


PASSING = case("passing")
FAILING = case("failing", **{"class": "profile", "profile": "lago", "expect": {"amount": "61.00"}})
ERRING = case("erring", usage={"units": "many"}, expect={"error": True})
CRASHING = case("crashing", usage=[])
UNKNOWN = case("unknown", kind="horoscope", **{"class": "quirk", "expect": []})


def written(path: Path, cases: object) -> Path:
    """Write a case file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(cases), encoding="utf-8")
    return path


def outcomes(paths: Sequence[Path], *options: str) -> dict[str, dict[str, Any]]:
    """Return what `tenor cases run --json` says of each case, by its id."""
    return {one["id"]: one for one in run("cases", "run", *paths, *options, "--json").json["cases"]}


def test_passed_failed_and_what_cannot_be_run_are_told_apart(tmp_path: Path) -> None:
    path = written(tmp_path / "cases.json", [PASSING, FAILING, ERRING, CRASHING, UNKNOWN])

    ran = run("cases", "run", path, "--json")
    by_id = {one["id"]: one for one in ran.json["cases"]}

    assert ran.exit_code == 1
    assert list(by_id) == ["passing", "failing", "erring", "crashing", "unknown"]
    assert set(ran.json) == {"cases", "totals"}
    assert by_id["passing"] == {
        "id": "passing",
        "kind": "rating",
        "profile": "standard",
        "class": "core",
        "passed": True,
        "got": {"amount": "60.00"},
        "expected": {"amount": "60.00"},
        "why": "",
    }
    assert (by_id["failing"]["passed"], by_id["failing"]["why"]) == (False, "amount: expected 61.00, got 60.00")
    assert (by_id["erring"]["passed"], by_id["erring"]["got"]) == (True, {"error": True})
    assert (by_id["crashing"]["passed"], by_id["crashing"]["got"]) == (False, None)
    assert by_id["crashing"]["why"]
    assert by_id["unknown"]["why"] == "cases of kind 'horoscope' cannot be run yet"
    assert ran.json["totals"] == [
        {"kind": "horoscope", "profile": "standard", "class": "quirk", "passed": 0, "failed": 1},
        {"kind": "rating", "profile": "lago", "class": "profile", "passed": 0, "failed": 1},
        {"kind": "rating", "profile": "standard", "class": "core", "passed": 2, "failed": 1},
    ]


def test_the_scores_are_printed_for_people(tmp_path: Path) -> None:
    path = written(tmp_path / "cases.json", [PASSING, FAILING, UNKNOWN])

    told = [" ".join(line.split()) for line in run("cases", "run", path, "--show", "1").out.splitlines()]

    assert told == [
        "failed failing: amount: expected 61.00, got 60.00",
        "… and 1 more (--json prints all)",
        "kind profile class passed failed",
        "horoscope standard quirk 0 1",
        "rating lago profile 0 1",
        "rating standard core 1 0",
        "1 of 3 cases passed",
    ]


def test_files_of_any_folder_are_run_together_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = written(tmp_path / "a" / "one.json", [PASSING])
    two = written(tmp_path / "b" / "c" / "two cases.json", [case("other"), case("third")])
    empty = written(tmp_path / "empty.json", [])
    monkeypatch.chdir(tmp_path / "a")

    assert list(outcomes([two, Path("one.json")])) == ["other", "third", "passing"]
    assert run("cases", "run", one, two).exit_code == 0
    assert run("cases", "run", empty).exit_code == 2
    assert list(outcomes([Path("../b/c/two cases.json"), empty])) == ["other", "third"]


def test_kinds_may_be_picked(tmp_path: Path) -> None:
    rounding = case("rounding", kind="rounding", amount="0.125", expect={"amount": "0.13"})
    path = written(tmp_path / "cases.json", [PASSING, UNKNOWN, rounding])

    assert list(outcomes([path], "--kind", "rating")) == ["passing"]
    assert list(outcomes([path], "--kind", "rating", "--kind", "rounding")) == ["passing", "rounding"]
    assert run("cases", "run", path, "--kind", "rating").exit_code == 0
    assert run("cases", "run", path, "--kind", "horoscope").exit_code == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": {"horoscope": "leo"}},
        {"policy": {"recognition": "daily"}},  # a key of the public list that this engine has no rule for yet
        {"policy": {"month_end": "leap"}},
        {"policy": None},
        {"profile": "acme"},
        {"kind": "horoscope"},
        {"model": "horoscope"},
        {"properties": None},
        {"usage": "15"},
        {"expect": [60]},
        {"expect": None},
        {"expect": {"amount": "60.00", "horoscope": "leo"}},
        {"expect": {"amount": "Infinity"}},
        {"expect": {"amount": "NaN"}},
        {"expect": {"amount": True}},
        {"expect": {"amount": "60.00", "compare_digits": "two"}},
        {"expect": {"unit_amount": "1e-999999999"}},
        {"currency": "XXX"},
    ],
    ids=str,
)
def test_a_case_that_cannot_be_run_has_failed_and_ends_nothing(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = written(tmp_path / "cases.json", [case("odd", **changes), PASSING])

    found = outcomes([path])

    assert (found["odd"]["passed"], found["passing"]["passed"]) == (False, True)
    assert found["odd"]["why"]
    assert run("cases", "run", path).exit_code == 1


@pytest.mark.parametrize(
    "changes", [{"policy": {"horoscope": "leo"}}, {"profile": "acme"}, {"kind": "horoscope"}], ids=str
)
def test_what_the_engine_has_no_rule_for_is_not_the_refusal_that_a_case_expects(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    path = written(tmp_path / "cases.json", [case("odd", expect={"error": True}, **changes)])

    assert outcomes([path])["odd"]["passed"] is False


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "Expecting value: line 1 column 1"),
        ("amount: 60", "Expecting value: line 1 column 1"),
        ('[{"id": "a"},]', "line 1 column 1"),
        ("60", "a case file is a JSON array of cases"),
        ("[60]", "case 0 is not an object"),
        (json.dumps([PASSING, None]), "case 1 is not an object"),
        (json.dumps([PASSING, {"id": "a", "kind": "rating"}]), "case 1 has no profile, class, expect"),
        (json.dumps([{**PASSING, "id": 7, "kind": ["rating"]}]), "case 0: id, kind must be text"),
        ('[{"id": "a", "kind": "rating", "id": "b"}]', "key 'id' comes twice"),
        ("[NaN]", "NaN is not a number"),
        ("[-Infinity]", "-Infinity is not a number"),
        ("[1e99999999999999999999]", "1e99999999999999999999 is beyond any number"),
        (f"[{'9' * 5000}]", "limit"),
        ("[" * 100_000, "nested too deeply"),
        (b"\xff\xfe[\0]\0", "can't decode byte 0xff"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_file_that_holds_no_cases_is_refused_before_any_is_run(
    tmp_path: Path, content: str | bytes, says: str
) -> None:
    right = written(tmp_path / "right.json", [PASSING])
    path = tmp_path / "wrong.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    told, as_json = run("cases", "run", right, path), run("cases", "run", right, path, "--json")

    assert (told.exit_code, told.out, as_json.exit_code) == (2, "", 2)
    assert as_json.json["error"]["code"] == "malformed_case_file"
    assert as_json.json["error"]["message"].startswith(f"{path}: ")
    assert says in as_json.json["error"]["message"]
    assert says in told.err


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "No such file or directory" in run("cases", "run", tmp_path / "none.json").err
    assert "no case to run" in run("cases", "run", tmp_path).err


def test_a_folder_stands_for_its_case_files_and_a_schema_among_them_is_left_out(tmp_path: Path) -> None:
    written(tmp_path / "a.json", [PASSING])
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "array"}')

    told, as_json = run("cases", "run", tmp_path), run("cases", "run", tmp_path, "--json")

    assert (told.exit_code, as_json.exit_code) == (0, 0)
    assert f"left out {schema}" in told.err
    assert [entry["id"] for entry in as_json.json["cases"]] == ["passing"]
    assert as_json.json["left_out"] == [str(schema)]


def test_a_lone_object_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text("{}")

    refused = run("cases", "run", path, "--json")

    assert (refused.exit_code, refused.json["error"]["code"]) == (2, "not_a_case_file")


def test_a_kind_that_no_case_has_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "cases.json", [PASSING])

    assert run("cases", "run", path, "--kind", "nope").exit_code == 2


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps([PASSING]).encode())

    assert run("cases", "run", path).exit_code == 0


def test_names_that_look_like_markup_are_printed_as_they_are(tmp_path: Path) -> None:
    path = written(tmp_path / "cases.json", [case("[/]", kind="[/b]", **{"class": "[red]"})])

    ran = run("cases", "run", path)

    assert ran.exit_code == 1
    assert "failed [/]: cases of kind '[/b]' cannot be run yet" in ran.out
    assert "[/b]  standard  [red]" in ran.out
