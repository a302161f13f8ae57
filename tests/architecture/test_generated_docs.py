"""The reference is what the code says."""

from pathlib import Path

import pytest

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
