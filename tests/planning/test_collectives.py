import pytest

from nvs_jax.planning.collectives import Collective, collectives

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


def test_an_unknown_notation_is_an_error():
    with pytest.raises(ValueError, match="no groups"):
        collectives("  %a = f32[2]{0} all-reduce(%b), to_apply=%c")
