"""The reference is what the code says."""

from importlib import resources
from pathlib import Path

import pytest

from tenor.invoicing.rules.lifecycle import DOCUMENT_MOVES
from tenor.subscriptions import MOVES
from tools import generate_docs


def test_the_reference_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    stale = generate_docs.main(is_check=True)

    assert stale == 0, capsys.readouterr().err


def test_a_stale_or_missing_document_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate_docs, "REFERENCE", tmp_path / "docs" / "reference")
    monkeypatch.setattr(generate_docs, "DOCUMENTS", {"one.md": lambda: "one", "two.md": lambda: "two"})
    generate_docs.main(is_check=False)
    assert generate_docs.main(is_check=True) == 0

    one, two = sorted((tmp_path / "docs" / "reference").iterdir())
    one.write_text("another\n", encoding="utf-8")
    two.unlink()

    assert generate_docs.main(is_check=True) == 2


def test_a_diagram_draws_each_move_once_from_the_first_state_to_those_without_a_way_out() -> None:
    lines = generate_docs.diagram(DOCUMENT_MOVES).splitlines()

    assert lines[:2] == ["stateDiagram-v2", "    [*] --> draft"]
    assert "    paid --> finalized: payment_reversed" in lines
    assert lines[-1] == "    void --> [*]"
    assert len(lines) == 2 + 8 + 1


def test_the_readme_of_subscriptions_shows_the_diagram_as_it_is() -> None:
    readme = resources.files("tenor.subscriptions").joinpath("README.md").read_text(encoding="utf-8")

    assert f"```mermaid\n{generate_docs.diagram(MOVES)}\n```" in readme
