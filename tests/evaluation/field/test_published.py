"""What others have published: every number says where it is from and how it was measured."""

import pytest

from nvs_jax.evaluation.field.published import NUMBERS, published_lines, published_tables
from nvs_jax.media.splits import PUBLISHED


def test_every_table_says_source_set_and_protocol() -> None:
    known = {"method", *NUMBERS}
    for table in published_tables():
        assert table["source"] and table["set"] and table["protocol"]
        assert set(table["layouts"]) <= set(PUBLISHED) and table["layouts"]
        assert all(set(row) <= known and len(row) > 1 for row in table["rows"])
        assert all(0 < float(row[name]) < 200 for row in table["rows"] for name in row if name in NUMBERS)
        assert any(row["method"].startswith("NVS-Solver") for row in table["rows"])


@pytest.mark.parametrize("layout", PUBLISHED)
def test_every_layout_has_a_section_that_implies_no_comparison(layout: str) -> None:
    lines = published_lines(layout)
    assert lines[0] == "### Published, under other protocols" and "not to be compared" in lines[2]
    cells = {line.count("|") for line in lines[4:]}
    assert len(cells) == 1 and len(lines) > 6


def test_a_number_stands_in_the_column_of_its_score() -> None:
    lines = published_lines("paper")
    assert "PSNR" not in lines[4] and lines[4].startswith("|  | set | FID | ATE | RPE-T | RPE-R | source |")
    assert any(
        line.startswith("| NVS-Solver, Post | nine photos, six of them of Tanks and Temples | 165.12 | 0.767 |")
        for line in lines
    )
    assert published_lines("nothing") == []
