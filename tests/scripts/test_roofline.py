from dataclasses import replace

import pytest

from nvs_jax.planning.roofline import RATES, roofline
from nvs_jax.planning.table import Entry
from scripts.roofline import BEGIN, END, roofline_page

ENTRY = Entry(
    chip="v5e",
    program="sample",
    settings="dgs-bfloat16",
    frames=25,
    height=576,
    width=1024,
    at_once=1,
    arguments=0,
    outputs=0,
    temporary=0,
    reused=0,
    chips=8,
    mesh="2x4x1",
    products=150e12,
    attention=47e12,
    weights_read=319e9,
    activations=500e9,
    exchanges=3,
    exchanged=400e9,
)


def test_each_over_what_the_chip_can():
    times = roofline(ENTRY)
    assert (times.compute, times.memory, times.links) == pytest.approx((1, 1, 2))
    assert times.total == pytest.approx(3)


def test_what_was_compiled_counts_before_what_was_concluded():
    compiled = replace(ENTRY, collectives={"all-to-all": [24, 50e9], "all-reduce": [33, 150e9]})
    assert roofline(compiled).links == pytest.approx(1)


def test_the_page():
    page = roofline_page(f"a\n{BEGIN}\nold\n{END}\nb", [ENTRY, replace(ENTRY, products=0)])
    (row,) = [line for line in page.splitlines() if line.startswith("| svd_xt")]
    head = next(line for line in page.splitlines() if line.startswith("| model"))
    assert row.count("|") == head.count("|")
    assert "v5e:8" in row and "about 3 all-to-all" in row and "3000.0" in row and "197.00" in row
    assert "old" not in page


def test_later_chips_are_faster():
    assert RATES["v6e"].flops > RATES["v5p"].flops > RATES["v5e"].flops
