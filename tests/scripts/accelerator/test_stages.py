import re
from pathlib import Path

import pytest

from nvs_jax.errors import InputError
from scripts.accelerator.stages import STAGES, VARIANTS, chosen, processes, quickly


def test_sides_and_names_choose_stages_in_their_order():
    theirs = ["torch-eager", "torch-compile", "torch-wan-t2v", "torch-wan-vae"]
    assert [stage.name for stage in chosen("torch")] == theirs
    assert [stage.name for stage in chosen("both")] == [stage.name for stage in STAGES]
    assert [stage.name for stage in chosen("jax", ("vae", "dgs"))] == ["dgs", "vae"]


def test_a_stage_of_the_other_side_is_refused():
    with pytest.raises(InputError, match=r"no stage dgs on this side: choose from torch-eager, torch-compile, "):
        chosen("torch", ("dgs",))


def test_no_two_stages_have_one_name():
    assert len({stage.name for stage in STAGES}) == len(STAGES)


def test_flags_are_flags():
    assert all(flag.startswith("--xla_gpu_") for flags in VARIANTS.values() for flag in flags)


def test_stages_of_one_process_have_one_side_and_one_set_of_flags():
    by_process = {}
    for stage in STAGES:
        by_process.setdefault(stage.process or stage.name, set()).add((stage.side, stage.default_flags, stage.flags))
    assert all(len(kinds) == 1 for kinds in by_process.values())


def test_the_documentation_lists_every_stage_with_its_time():
    page = (Path(__file__).parents[3] / "docs" / "accelerators.md").read_text(encoding="utf-8")
    told, _, _ = page.partition("## Measured")
    listed = re.findall(r"^\| ([a-z0-9-]+) \| (\d+) \|", told, re.MULTILINE)
    assert [(name, float(box)) for name, box in listed] == [(stage.name, stage.box) for stage in STAGES]


def test_at_toy_size_stages_share_a_process_where_their_flags_do():
    groups = processes(quickly(STAGES, 7.0))
    assert [[stage.name for stage in group][-1] for group in groups] == ["wan-i2v", "dgs-default", "torch-wan-vae"]
    assert all(stage.box == 7.0 for group in groups for stage in group)
