"""The reference is what the code says."""

from pathlib import Path

import pytest

from tools import generate_docs


def test_the_reference_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    stale = generate_docs.main(is_check=True)

    assert stale == 0, capsys.readouterr().err


def test_a_stale_or_missing_document_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate_docs, "REFERENCE", tmp_path / "docs" / "reference")
    generate_docs.main(is_check=False)
    assert generate_docs.main(is_check=True) == 0

    written = sorted((tmp_path / "docs" / "reference").iterdir())
    written[0].write_text(written[0].read_text(encoding="utf-8").replace("Print", "Write"), encoding="utf-8")
    written[1].unlink()

    assert [path.name for path in written] == sorted(generate_docs.DOCUMENTS)
    assert generate_docs.main(is_check=True) == 2
