import hypothesis.strategies as st
import pytest
from hypothesis import given

from convert.diffusers_layout import IMAGE_ENCODER_TABLE, UNET_TABLE, VAE_TABLE
from convert.key_table import Ignored, KeyTable, Rule, match
from convert.safetensors_file import TensorInfo
from nvs_jax.errors import InputError
from nvs_jax.models.weights import ParameterSpec

IDENTITY: KeyTable = (Rule(r".+"),)
LINEAR = ParameterSpec((3, 2), (1, 0))
PUBLISHED = TensorInfo((2, 3), "F32")


def test_rules_rename_and_ignore_and_must_match_the_whole_key():
    table = (Rule(r"block\.(\d+)\.(.+)", r"blocks.\1.\2"), Ignored(r"step", "..."))
    source = {"block.0.w": PUBLISHED, "block.1.w": PUBLISHED, "step": TensorInfo((), "I64")}
    specs = {"blocks.1.w": LINEAR, "blocks.0.w": LINEAR}
    assert match(table, source, specs, "here") == {"blocks.1.w": "block.1.w", "blocks.0.w": "block.0.w"}
    with pytest.raises(InputError, match=r"1 unexpected \(steps\)"):
        match(table, source | {"steps": PUBLISHED}, specs, "here")


def test_missing_keys_are_named_and_counted():
    specs = {f"w{number}": LINEAR for number in range(5)}
    with pytest.raises(InputError, match=r"^here does not fit .*: 5 missing \(w0, w1, w2 and 2 more\)$"):
        match(IDENTITY, {}, specs, "here")


def test_a_key_no_rule_matches_and_a_key_that_leads_nowhere_are_unexpected():
    with pytest.raises(InputError, match=r"2 unexpected \(a, b\)"):
        match((Rule("a", "elsewhere"),), {"a": PUBLISHED, "b": PUBLISHED}, {}, "here")


def test_a_key_two_rules_match_is_an_error():
    table = (Rule(r".+"), Rule(r"w.*"))
    with pytest.raises(InputError, match=r"1 matched twice \(w by \.\+ and w\.\*\)"):
        match(table, {"w": PUBLISHED}, {"w": LINEAR}, "here")


def test_a_key_that_is_both_placed_and_ignored_is_an_error():
    with pytest.raises(InputError, match="1 matched twice"):
        match((Rule(r".+"), Ignored("w", "...")), {"w": PUBLISHED}, {"w": LINEAR}, "here")


def test_two_keys_for_one_parameter_are_an_error():
    table = (Rule(r"old", "w"), Rule(r"w"))
    with pytest.raises(InputError, match=r"1 matched twice \(old and w -> w\)"):
        match(table, {"old": PUBLISHED, "w": PUBLISHED}, {"w": LINEAR}, "here")


@pytest.mark.parametrize("shape", [(3, 2), (2, 3, 1), (6,), ()])
def test_another_shape_is_an_error_that_shows_both(shape: tuple[int, ...]):
    shown = "x".join(map(str, shape)) or "a scalar"
    with pytest.raises(InputError, match=rf"1 of another shape \(w is {shown}, not 2x3\)"):
        match(IDENTITY, {"w": TensorInfo(shape, "F32")}, {"w": LINEAR}, "here")


def test_a_parameter_in_integers_is_an_error():
    with pytest.raises(InputError, match=r"1 of a dtype other than F64, F32, F16, BF16 \(w is I64\)"):
        match(IDENTITY, {"w": TensorInfo((2, 3), "I64")}, {"w": LINEAR}, "here")


def test_every_kind_of_fault_is_told_in_one_line():
    with pytest.raises(InputError, match=r"1 missing \(v\); 1 unexpected \(u\)") as raised:
        match(IDENTITY, {"u": PUBLISHED}, {"v": LINEAR}, "here")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("table", "key", "name"),
    [
        (UNET_TABLE, "mid_block.attentions.0.proj_in.weight", "mid_block.attentions.0.proj_in.weight"),
        (VAE_TABLE, "encoder.mid_block.attentions.0.query.weight", "encoder.mid_block.attentions.0.to_q.weight"),
        (VAE_TABLE, "decoder.mid_block.attentions.0.key.bias", "decoder.mid_block.attentions.0.to_k.bias"),
        (VAE_TABLE, "decoder.mid_block.attentions.0.value.bias", "decoder.mid_block.attentions.0.to_v.bias"),
        (VAE_TABLE, "decoder.mid_block.attentions.0.proj_attn.bias", "decoder.mid_block.attentions.0.to_out.0.bias"),
        (VAE_TABLE, "decoder.mid_block.attentions.0.to_q.bias", "decoder.mid_block.attentions.0.to_q.bias"),
        (VAE_TABLE, "quant_conv.weight", "quant_conv.weight"),
        (IMAGE_ENCODER_TABLE, "visual_projection.weight", "visual_projection.weight"),
    ],
)
def test_the_tables_of_diffusers_layout(table: KeyTable, key: str, name: str):
    assert match(table, {key: PUBLISHED}, {name: LINEAR}, "here") == {name: key}


def test_the_position_ids_of_clip_are_ignored():
    source = {"vision_model.embeddings.position_ids": TensorInfo((1, 257), "I64")}
    assert match(IMAGE_ENCODER_TABLE, source, {}, "here") == {}


@given(st.sets(st.text("abc._", min_size=1)), st.sets(st.text("abc._", min_size=1)))
def test_identity_succeeds_exactly_on_equal_keys(keys: set[str], names: set[str]):
    source, specs = dict.fromkeys(keys, PUBLISHED), dict.fromkeys(names, LINEAR)
    if keys == names:
        assert match(IDENTITY, source, specs, "here") == {name: name for name in names}
    else:
        with pytest.raises(InputError):
            match(IDENTITY, source, specs, "here")
