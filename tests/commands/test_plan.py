"""Estimates and advice, and the command `nvs-jax plan`."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvs_jax.cli import main
from nvs_jax.errors import InputError
from nvs_jax.planning.advice import advise
from nvs_jax.planning.devices import GIB, parse_device
from nvs_jax.planning.estimate import from_table, phases
from nvs_jax.planning.programs import Model
from nvs_jax.planning.request import Request
from nvs_jax.planning.table import SHIPPED, Entry, read_table

MODEL = Model()
REQUEST = Request()


def entry(program, settings, temporary, chip="v5e", request=REQUEST):
    sizes = {"frames": request.frames, "height": request.height, "width": request.width}
    numbers = {"arguments": 0, "outputs": 0, "temporary": temporary, "reused": 0}
    return Entry(chip, program, settings, **sizes, at_once=request.at_once(program), **numbers)


TABLE = [
    entry("embed", "bfloat16", GIB // 20),
    entry("encode", "whole", 2 * GIB),
    entry("sample", "dgs-bfloat16", 8 * GIB),
    entry("sample", "dgs-bfloat16", 5 * GIB, request=replace(REQUEST, frames=14)),
    entry("decode", "whole", 9 * GIB),
]


@pytest.fixture(scope="module")
def assess():
    """Phases of a request on a device, with the parameters counted once."""
    sizes = {
        (name, dtype): MODEL.weight_bytes(name, dtype)
        for name in ("unet", "vae", "image_encoder")
        for dtype in ("float32", "bfloat16")
    }

    class Counted(Model):
        def weight_bytes(self, component, dtype):
            return sizes[component, dtype]

    def run(request, low_memory=False, device="v5e:1", table=TABLE):
        device = parse_device(device)
        model = Counted()
        return phases(model, request, from_table(table, device, model), low_memory=low_memory)

    return run


frames = st.integers(2, 60)
sides = st.integers(1, 24).map(lambda n: 64 * n)


@given(frames, frames, sides, sides, sides, st.sampled_from(["v5e:1", "v6e:1", "gpu:24GB"]))
def test_more_frames_or_pixels_never_need_less(assess, one, other, height, width, more, device):
    small = Request(min(one, other), height, width)
    for large in (replace(small, frames=max(one, other)), replace(small, height=height + more)):
        for less, much in zip(assess(small, device=device), assess(large, device=device), strict=True):
            assert less.total <= much.total


def test_low_memory_counts_the_network_at_work(assess):
    for whole, lean in zip(assess(REQUEST), assess(REQUEST, True), strict=True):
        assert lean.weights < whole.weights
        assert lean.temporary == whole.temporary
    assert assess(REQUEST, True)[2].weights == 2 * 1_524_623_082


def test_figures_say_where_they_come_from(assess):
    assert [phase.basis for phase in assess(REQUEST)] == ["measured"] * 4
    assert assess(replace(REQUEST, frames=20))[2].basis == "scaled"
    assert {phase.basis for phase in assess(REQUEST, device="v5p:1")} == {"estimated"}
    assert {phase.basis for phase in assess(REQUEST, device="gpu:24GB")} == {"estimated"}
    # Between the entries of 14 and of 25 frames.
    assert assess(replace(REQUEST, frames=14))[2].temporary == 5 * GIB
    assert 5 * GIB < assess(replace(REQUEST, frames=20))[2].temporary < 8 * GIB


def test_several_chips(assess):
    # Seven of 25 frames, of one of two branches.
    one, eight = assess(REQUEST), assess(REQUEST, device="v5e:8")
    assert eight[2].temporary == int(one[2].temporary * 7 / 25 / 2) and eight[2].basis == "fewer"
    assert [phase.weights for phase in eight] == [phase.weights for phase in one]
    known = replace(entry("sample", "dgs-bfloat16", 3 * GIB), chips=8, mesh="2x4x1")
    assert assess(REQUEST, device="v5e:8", table=[*TABLE, known])[2].temporary == 3 * GIB
    assert assess(REQUEST, table=[*TABLE, known])[2].temporary == 8 * GIB


def test_a_number_of_chips_that_is_not_in_the_table_is_concluded_from_the_next_smaller(assess):
    eight = [
        replace(entry("decode", "whole", 2 * GIB), chips=8),
        replace(entry("sample", "dgs-bfloat16", GIB), chips=8),
    ]
    sixteen = assess(REQUEST, device="v5e:16", table=[*TABLE, *eight])
    assert (sixteen[3].temporary, sixteen[3].basis) == (2 * GIB, "fewer")
    assert sixteen[2].temporary == int(GIB * 4 / 7)  # four of 25 frames in place of seven
    assert (sixteen[1].temporary, sixteen[1].basis) == (2 * GIB, "fewer")  # of one chip
    other = assess(REQUEST, device="v6e:16", table=[*TABLE, *eight])
    assert (other[3].temporary, other[3].basis) == (2 * GIB, "estimated")


def test_what_a_v4_has_is_concluded_and_said_to_be(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["plan", "--figures", "table", "--device", "v4:8"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert "each of 8 v4 chips (31.25 GiB for JAX)" in said
    assert any("nothing was compiled for one" in line for line in said.splitlines())


def test_a_plan_says_how_long_and_how_it_is_divided(capsys):
    with pytest.raises(SystemExit):
        main(["plan", "--figures", "table", "--device", "v5e:16", "--steps", "10"])
    said = capsys.readouterr().out
    assert "s a video of 10 steps" in said
    assert "Divide it by --mesh.branches 2 --mesh.frames 8." in said
    assert "an hour one after the other" in said


def test_what_is_not_in_the_table(assess):
    assert assess(replace(REQUEST, dtype="float32"))[2].temporary == 16 * GIB
    assert assess(replace(REQUEST, sequential=True))[2].temporary == 4 * GIB
    assert assess(replace(REQUEST, tile=(320, 512)))[3].temporary < 4 * GIB
    assert assess(replace(REQUEST, method="post"))[2].temporary == 8 * GIB
    with pytest.raises(InputError, match="no figure"):
        assess(replace(REQUEST, method="post", gradient="full"))


def test_advice_is_worth_taking(assess):
    device = parse_device("v5e:1")
    fits = [line for line in advise(REQUEST, False, device, lambda *a: assess(*a)) if line.startswith("  ")]
    assert fits  # one phase is over by half a gibibyte or so
    tight = replace(device, capacity=6 * GIB)
    together = advise(REQUEST, False, tight, lambda *a: assess(*a))
    assert together[0].endswith("all of:") and len(together) > 2
    assert "No combination" in advise(REQUEST, False, replace(device, capacity=GIB), lambda *a: assess(*a))[0]


@pytest.mark.parametrize("text", ["v5e", "v5e:0", "v5e:7", "v5e:64", "tpu", "gpu:24", "gpu:0GB", ""])
def test_refuses_other_devices(text):
    with pytest.raises(InputError, match="--device"):
        parse_device(text)


def test_the_shipped_table_is_about_full_size():
    entries = read_table(SHIPPED)
    assert {one.program for one in entries} >= {"embed", "encode", "sample", "decode"}
    unet = 2 * 1_524_623_082 * 0.95  # less what cross-attention to one token never reads
    for one in entries:
        assert one.total > 0
        if one.model == "svd_xt" and one.program == "sample" and "bfloat16" in one.settings:
            assert one.arguments > unet


@pytest.mark.parametrize(("options", "code"), [(("v5p:1",), 0), (("v5e:8",), 0), (("gpu:2GB",), 1)])
def test_the_exit_code_is_the_answer(options, code, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["plan", "--figures", "table", "--device", *options])
    assert stop.value.code == code
    said = capsys.readouterr().out
    assert said.startswith("svd_xt: 25 frames of 576x1024, dgs, bfloat16, on ")
    assert ("It fits: " in said) == (code == 0)
    assert ("It does not fit: " in said) == (code == 1)


@pytest.mark.parametrize(
    ("model", "options", "code", "said"),
    [
        ("wan2_1_t2v_1_3b", ("v5e:1",), 0, "81 frames of 480x832"),
        ("wan2_1_vace_1_3b", ("v5e:8",), 0, "s a video of 50 steps"),
        ("wan2_1_i2v_14b_480p", ("v6e:8", "--divide-weights"), 0, "weights divided"),
        ("wan2_1_i2v_14b_480p", ("v6e:8",), 1, "--mesh.weights"),
    ],
)
def test_another_family_is_planned_at_the_size_and_steps_that_suit_it(model, options, code, said, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["plan", "--figures", "table", "--model", model, "--device", *options])
    assert stop.value.code == code
    out = capsys.readouterr().out
    assert said in out and "embed" not in out and "compiled earlier, same sizes" in out


def test_a_longer_video_takes_attention_as_its_square(capsys):
    def step(frames: str) -> float:
        with pytest.raises(SystemExit):
            main(["plan", "--figures", "table", "--model", "wan2_1_t2v_1_3b", "--device", "v5e:1", "--frames", frames])
        return float(capsys.readouterr().out.split(" s a step")[0].split()[-1])

    # 283 and 128.6 TFLOP an evaluation, of 81 and of 49 frames, which are taken to be as far apart as their latents.
    assert step("81") / step("49") == pytest.approx(283 / 128.6, rel=81 / 49 / (21 / 13) - 1 + 0.02)


def test_mistakes_are_one_line(capsys):
    for options in (("--model", "sora"), ("--height", "100"), ("--memory.tile", "100", "128")):
        with pytest.raises(SystemExit) as stop:
            main(["plan", "--figures", "table", "--device", "v5e:1", *options])
        assert stop.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1
