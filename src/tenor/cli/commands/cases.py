"""`tenor cases`: run neutral billing cases on the engine."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tenor.cli.groups import command_group
from tenor.cli.output import ExitCode, JsonOption, err, out, print_json, progress, refusals, stop
from tenor.conformance import Case, MalformedCaseFile, NotACaseFile, Outcome, as_json, read_cases, run_case, totals

app = command_group("Run billing cases: your old system's figures against this engine.")


@app.callback()
def cases() -> None:
    """Run billing cases: your old system's figures against this engine."""


@app.command("run")
def run(
    files: Annotated[list[Path], typer.Argument(help="Case files (JSON arrays of cases), or folders of them.")],
    *,
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", help="Run only cases of this kind; may be repeated.")
    ] = None,
    failures_max: Annotated[int, typer.Option("--show", min=0, help="How many failed cases to print.")] = 20,
    json_: JsonOption = False,
) -> None:
    """Run every case and print passed and failed per kind, profile and class. Ends with 1 when one failed."""
    with refusals(as_json=json_):
        read, left_out = _read_all(files)
        wanted = [case for case in read if not kinds or case.kind in kinds]
        if not wanted:
            of_kind = f" of kind {' or '.join(kinds)}" if kinds else ""
            raise MalformedCaseFile(f"there is no case to run{of_kind} in {', '.join(map(str, files))}")
        with progress(is_shown=not json_) as display:
            outcomes = [run_case(case) for case in display.track(wanted, description="cases")]
    if json_:
        body = {"cases": [_case_json(outcome) for outcome in outcomes], "totals": totals(outcomes)}
        print_json({**body, "left_out": [str(path) for path in left_out]} if left_out else body)
    else:
        for path in left_out:
            err.print(f"left out {path}: it holds no cases but one object", markup=False)
        _print_scores(outcomes, failures_max=failures_max)
    if not all(outcome.passed for outcome in outcomes):
        raise stop(ExitCode.FOUND)


def _read_all(files: list[Path]) -> tuple[list[Case], list[Path]]:
    """Return the cases of all files, and the files that hold an object instead: a schema among the case files.

    Raises:
        NotACaseFile: no file holds cases.
        MalformedCaseFile: a file is neither.
    """
    paths = [path for given in files for path in (sorted(given.glob("*.json")) if given.is_dir() else [given])]
    cases: list[Case] = []
    left_out: list[Path] = []
    for path in paths:
        try:
            cases.extend(read_cases(path))
        except NotACaseFile:
            if len(left_out) == len(paths) - 1:
                raise
            left_out.append(path)
    return cases, left_out


def _case_json(outcome: Outcome) -> dict[str, object]:
    case = outcome.case
    return {
        "id": case.id,
        "kind": case.kind,
        "profile": case.profile,
        "class": case.case_class,
        "passed": outcome.passed,
        "got": as_json(outcome.got),
        "expected": as_json(case.expect),
        "why": outcome.why,
    }


def _print_scores(outcomes: list[Outcome], *, failures_max: int) -> None:
    failed = [outcome for outcome in outcomes if not outcome.passed]
    for outcome in failed[:failures_max]:
        out.print(f"[red]failed[/] {escape(outcome.case.id)}: ", end="")
        out.print(outcome.why, markup=False)
    if len(failed) > failures_max:
        out.print(f"… and {len(failed) - failures_max} more (--json prints all)")
    table = Table("kind", "profile", "class", box=None)
    for heading in ("passed", "failed"):
        table.add_column(heading, justify="right")
    for row in totals(outcomes):
        colour = "red" if row["failed"] else "green"
        names = (escape(row[heading]) for heading in ("kind", "profile", "class"))
        table.add_row(*names, str(row["passed"]), f"[{colour}]{row['failed']}[/]")
    out.print(table)
    out.print(f"{len(outcomes) - len(failed)} of {len(outcomes)} cases passed")
