"""A file has one subject, and fits in a head."""

from __future__ import annotations

from tests.contracts.sources import ROOT, product_files

MOST = 450


def test_no_file_outgrows_its_subject() -> None:
    lengths = {file.relative_to(ROOT): len(file.read_text().splitlines()) for file in product_files()}
    assert len(lengths) > 100
    assert {file: length for file, length in lengths.items() if length > MOST} == {}
