"""Reading a compiled program's text."""

from nvs_jax.planning.hlo import parse

TEXT = """HloModule jit_f, is_scheduled=true

%fused (p.0: f32[4,8], p.1: f32[8,2]) -> f32[4,2] {
  %p.0 = f32[4,8]{1,0} parameter(0)
  %p.1 = f32[8,2]{1,0} parameter(1)
  ROOT %dot.1 = f32[4,2]{1,0} dot(%p.0, %p.1), lhs_contracting_dims={1}, rhs_contracting_dims={0}
}

%short (a: f32[4]) -> f32[4] {
  ROOT %negate.9 = f32[4]{0} negate(%a)
}

%long (b: f32[4]) -> f32[4] {
  %exp.1 = f32[4]{0} exponential(%b)
  ROOT %negate.8 = f32[4]{0} negate(%exp.1)
}

%body (state: (s32[], f32[4,8])) -> (s32[], f32[4,8]) {
  %state = (s32[], /*index=1*/f32[4,8]{1,0}) parameter(0)
  %x = f32[4,8]{1,0} get-tuple-element(%state), index=1
  %fusion.3 = f32[4,2]{1,0} fusion(%x, %x), kind=kCustom, calls=%fused, metadata={op_name="jit(f)/dot"}
  ROOT %tuple.1 = (s32[], f32[4,8]{1,0}) tuple(%x, %x)
}

ENTRY %main.7 (x.1: f32[4,8]) -> f32[4,8] {
  %x.1 = f32[4,8]{1,0} parameter(0)
  %while.1 = (s32[], f32[4,8]{1,0}) while(%x.1), condition=%c, body=%body, backend_config={"known_trip_count":{"n":"5"}}
  %conditional.1 = f32[4]{0} conditional(%x.1, %x.1), branch_computations={%short, %long}
  ROOT %call.1 = f32[4]{0} call(%x.1), to_apply=%short
}
"""


def test_what_is_run_is_found_as_often_as_it_is_run():
    module = parse(TEXT)
    assert module.entry == "main.7"
    run = {instruction.name: times for instruction, _, times in module.executed()}
    assert run["fusion.3"] == 5  # in the loop
    assert run["exp.1"] == run["negate.8"] == 1  # the longer branch
    assert run["negate.9"] == 1  # once by the call, not by the shorter branch


def test_a_fusion_leads_to_what_it_consists_of():
    module = parse(TEXT)
    (fusion,) = [instruction for instruction, _, _ in module.executed() if instruction.opcode == "fusion"]
    assert [inner.opcode for inner in module.called(fusion)] == ["parameter", "parameter", "dot"]
    assert fusion.shape == (4, 2)
    assert fusion.operands == ("x", "x")
