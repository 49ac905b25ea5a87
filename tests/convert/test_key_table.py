import hypothesis.strategies as st
import pytest
from hypothesis import given

from convert.diffusers_layout import IMAGE_ENCODER_TABLE, UNET_TABLE, VAE_TABLE
from convert.key_table import Ignored, KeyTable, Rule, match
from convert.safetensors_file import TensorInfo
from convert.tensor_changes import POINTWISE, TRANSPOSED, part
from nvs_jax.errors import InputError
from nvs_jax.models.weights import ParameterSpec

IDENTITY: KeyTable = (Rule(r".+"),)
LINEAR = ParameterSpec((3, 2), (1, 0))
PUBLISHED = TensorInfo((2, 3), "F32")


def keys(table: KeyTable, source: dict[str, TensorInfo], specs: dict[str, ParameterSpec]) -> dict[str, str]:
    return {name: taken.key for name, taken in match(table, source, specs, "here").items()}


def test_rules_rename_and_ignore_and_must_match_whole_names():
    table = (Rule(r"blocks\.(\d+)\.(.+)", r"block.\1.\2"), Ignored(r"step", "..."))
    source = {"block.0.w": PUBLISHED, "block.1.w": PUBLISHED, "step": TensorInfo((), "I64")}
    specs = {"blocks.1.w": LINEAR, "blocks.0.w": LINEAR}
    assert keys(table, source, specs) == {"blocks.1.w": "block.1.w", "blocks.0.w": "block.0.w"}
    with pytest.raises(InputError, match=r"1 unexpected \(steps\)"):
        match(table, source | {"steps": PUBLISHED}, specs, "here")
    with pytest.raises(InputError, match=r"1 missing \(my blocks.0.w\)"):
        match(table, source, specs | {"my blocks.0.w": LINEAR}, "here")


def test_missing_keys_are_named_as_published_and_counted():
    specs = {f"w{number}": LINEAR for number in range(5)}
    with pytest.raises(InputError, match=r"^here does not fit .*: 5 missing \(v0, v1, v2 and 2 more\)$"):
        match((Rule(r"w(.)", r"v\1"),), {}, specs, "here")


def test_a_key_that_no_parameter_asks_for_is_unexpected():
    with pytest.raises(InputError, match=r"2 unexpected \(a, b\)"):
        match(IDENTITY, {"a": PUBLISHED, "b": PUBLISHED}, {}, "here")


def test_a_name_two_rules_match_is_an_error():
    table = (Rule(r".+"), Rule(r"w.*"))
    with pytest.raises(InputError, match=r"1 matched twice \(w by \.\+ and w\.\*\)"):
        match(table, {"w": PUBLISHED}, {"w": LINEAR}, "here")


def test_a_key_that_is_both_placed_and_ignored_is_an_error():
    with pytest.raises(InputError, match=r"1 matched twice \(w, read and ignored\)"):
        match((Rule(r".+"), Ignored("w", "...")), {"w": PUBLISHED}, {"w": LINEAR}, "here")


def test_an_older_key_will_do_but_not_both():
    table = (Rule(r"w", older=("old",)),)
    assert keys(table, {"w": PUBLISHED}, {"w": LINEAR}) == {"w": "w"}
    assert keys(table, {"old": PUBLISHED}, {"w": LINEAR}) == {"w": "old"}
    with pytest.raises(InputError, match=r"1 matched twice \(w and old -> w\)"):
        match(table, {"old": PUBLISHED, "w": PUBLISHED}, {"w": LINEAR}, "here")


def test_one_key_for_two_parameters_is_an_error():
    table = (Rule(r"[ab]", "w"),)
    with pytest.raises(InputError, match=r"1 matched twice \(w -> a and b\)"):
        match(table, {"w": PUBLISHED}, {"a": LINEAR, "b": LINEAR}, "here")


def test_parts_of_one_key_must_all_be_read_once():
    table = tuple(Rule(name, "qkv", change=part(index, 3)) for index, name in enumerate("qkv"))
    specs = {name: LINEAR for name in "qkv"}
    source = {"qkv": TensorInfo((6, 3), "F32")}
    taken = match(table, source, specs, "here")
    assert [taken[name].change.part for name in "qkv"] == [(0, 3), (1, 3), (2, 3)]
    with pytest.raises(InputError, match=r"1 matched twice \(qkv -> q and k\)"):
        match(table[:2], source, {"q": LINEAR, "k": LINEAR}, "here")
    doubled = (table[0], table[1], Rule("v", "qkv", change=part(1, 3)))
    with pytest.raises(InputError, match=r"1 matched twice \(qkv -> q and k and v\)"):
        match(doubled, source, specs, "here")
    with pytest.raises(InputError, match=r"3 of another shape|1 of another shape \(qkv is 2x3, not 6x3\)"):
        match(table, {"qkv": PUBLISHED}, specs, "here")


@pytest.mark.parametrize(("change", "stored"), [(TRANSPOSED, (3, 2)), (POINTWISE, (2, 3, 1, 1))])
def test_a_change_asks_for_the_shape_it_needs(change, stored: tuple[int, ...]):
    table = (Rule("w", change=change),)
    assert keys(table, {"w": TensorInfo(stored, "F32")}, {"w": LINEAR}) == {"w": "w"}
    with pytest.raises(InputError, match=rf"1 of another shape \(w is 2x3, not {'x'.join(map(str, stored))}\)"):
        match(table, {"w": PUBLISHED}, {"w": LINEAR}, "here")


@pytest.mark.parametrize("shape", [(3, 2), (2, 3, 1), (6,), ()])
def test_another_shape_is_an_error_that_shows_both(shape: tuple[int, ...]):
    shown = "x".join(map(str, shape)) or "a scalar"
    with pytest.raises(InputError, match=rf"1 of another shape \(w is {shown}, not 2x3\)"):
        match(IDENTITY, {"w": TensorInfo(shape, "F32")}, {"w": LINEAR}, "here")


@pytest.mark.parametrize("dtype", ["I64", "I8"])
def test_a_parameter_in_integers_is_an_error(dtype: str):
    with pytest.raises(InputError, match=rf"1 of a dtype other than F64, F32, F16, BF16 \(w is {dtype}\)"):
        match(IDENTITY, {"w": TensorInfo((2, 3), dtype)}, {"w": LINEAR}, "here")


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
    assert keys(table, {key: PUBLISHED}, {name: LINEAR}) == {name: key}


def test_the_position_ids_of_clip_are_ignored():
    source = {"vision_model.embeddings.position_ids": TensorInfo((1, 257), "I64")}
    assert match(IMAGE_ENCODER_TABLE, source, {}, "here") == {}


@given(st.sets(st.text("abc._", min_size=1)), st.sets(st.text("abc._", min_size=1)))
def test_identity_succeeds_exactly_on_equal_keys(published: set[str], names: set[str]):
    source, specs = dict.fromkeys(published, PUBLISHED), dict.fromkeys(names, LINEAR)
    if published == names:
        assert keys(IDENTITY, source, specs) == {name: name for name in names}
    else:
        with pytest.raises(InputError):
            match(IDENTITY, source, specs, "here")
