import pytest

from nvs_jax.planning.collectives import Collective, collectives, executed
from nvs_jax.planning.compiling import sum_by_kind

GROUPS = {
    "replica_groups=mesh['axis_0'=2,'axis_1'=4] {'axis_1'}": 4,
    "replica_groups=mesh['axis_0'=2,'axis_1'=4], device_ids=([2,4]T(1,0)) {'axis_0','axis_1'}": 8,
    "replica_groups=[2,4]<=[8]": 4,
    "replica_groups={{0,1,2},{3,4,5}}": 3,
}


@pytest.mark.parametrize(("groups", "devices"), GROUPS.items())
def test_groups_in_every_notation(groups, devices):
    assert collectives(f"  %a = bf16[2,3]{{1,0}} all-reduce(%b), {groups}, to_apply=%c") == [
        Collective("all-reduce", 12, devices)
    ]


def test_results_of_several_arrays_and_of_asynchronous_ones():
    text = """
  %a = (f32[1,7]{1,0}, f32[1,7]{1,0}) all-to-all(%b, %c), channel_id=1, replica_groups=[1,2]<=[2]
  ROOT %d = (f32[4]{0}, f32[8]{0}) all-gather-start(%e), replica_groups=[1,2]<=[2], dimensions={0}
  %f = f32[8]{0} all-gather-done(%d)
  %g = f32[3]{0} collective-permute(%e), source_target_pairs={{0,1},{1,0}}
"""
    found = [Collective("all-to-all", 56, 2), Collective("all-gather", 32, 2), Collective("collective-permute", 12, 2)]
    assert collectives(text) == found
    assert [each.sent for each in found] == [28, 16, 12]


def test_a_collective_spread_over_several_fusions_is_one():
    part = (
        "  %all-gather.{0} = f32[8]{{0}} all-gather(%p), channel_id=87, replica_groups=[1,2]<=[2], dimensions={{0}}, "
        'backend_config={{"async_collective_fusion_config":{{"flag_end":"8"}}}}'
    )
    bodies = "\n".join(f"%fusion.{i} (p: f32[4]) -> f32[8] {{\n{part.format(i)}\n}}\n" for i in range(3))
    calls = "\n".join(f"  %x.{i} = f32[8]{{0}} fusion(%q), kind=kCustom, calls=%fusion.{i}" for i in range(3))
    text = f"HloModule jit_f\n\n{bodies}\nENTRY %main (q: f32[4]) -> f32[8] {{\n{calls}\n}}\n"
    assert executed(text) == [(Collective("all-gather", 32, 2), 1)]
    assert len(executed(text.replace("async_collective_fusion", "other"))) == 3


def test_an_unknown_notation_is_an_error():
    with pytest.raises(ValueError, match="no groups"):
        collectives("  %a = f32[2]{0} all-reduce(%b), to_apply=%c")


LOOPS = """HloModule jit_f, is_scheduled=true

%add (a: f32[], b: f32[]) -> f32[] {
  ROOT %sum = f32[] add(%a, %b)
}

%inner (p: (s32[], f32[8])) -> (s32[], f32[8]) {
  %x = f32[8]{0:T(128)S(1)} all-reduce(%g), replica_groups=mesh['axis_0'=2,'axis_1'=4] {'axis_1'}, to_apply=%add
}

%turns (p: (s32[], f32[8])) -> pred[] {
  %three = s32[]{:T(128)} constant(3)
  ROOT %less = pred[]{:T(512)} compare(%i, %three), direction=LT
}

%started (p: f32[8]) -> f32[8] {
  ROOT %y = f32[8]{0} all-to-all(%p), replica_groups=[2,4]<=[8], dimensions={0}
}

%outer (p: (s32[], f32[8])) -> (s32[], f32[8]) {
  %loop = (s32[], f32[8]) while(%p), condition=%turns, body=%inner
  %begun = ((f32[8]), f32[8], u32[]) async-start(%q), calls=%started
  %ended = f32[8] async-done(%begun), calls=%started
}

%unknown (p: (s32[], f32[8])) -> pred[] {
  ROOT %less = pred[] compare(%i, %n), direction=LT
}

%other (p: (s32[], f32[8])) -> (s32[], f32[8]) {
  %z = f32[4]{0} all-gather(%g), replica_groups={{0,1},{2,3}}, dimensions={0}
}

ENTRY %main (p: f32[8]) -> f32[8] {
  %a = (s32[], f32[8]) while(%t), condition=%unknown, body=%outer, backend_config={"known_trip_count":{"n":"5"}}
  %b = (s32[], f32[8]) while(%t), condition=%unknown, body=%other
}
"""


def test_loops_turn_as_often_as_the_compiler_says():
    found = {each.kind: times for each, times in executed(LOOPS)}
    assert found == {"all-reduce": 15, "all-to-all": 5, "all-gather": 1}
    assert sum_by_kind(LOOPS) == {"all-gather": (1, 8), "all-reduce": (15, 15 * 48), "all-to-all": (5, 5 * 24)}


def test_a_text_without_an_entry_is_an_error():
    with pytest.raises(ValueError, match="entry"):
        executed("%a (p: f32[]) -> f32[] {\n}\n")
