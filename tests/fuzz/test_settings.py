"""Numbers nobody should ask for, on the command line and in presets."""

import math
import shutil
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from nvs_jax.diffusion.assemble import make_trust
from nvs_jax.diffusion.levels import make_sigmas
from nvs_jax.errors import InputError
from nvs_jax.settings import RenderSettings, ScheduleSettings, TrustSettings
from tests.fuzz.command import fuzz, outcome

SIDE = 64


def takes_words(annotation: object) -> bool:
    """Whether any text is a value."""
    return str in get_args(get_args(annotation)[0] if hasattr(annotation, "__metadata__") else annotation)


def options(group: object, prefix: str = "") -> dict[str, int]:
    """Every setting by its option, and how many values it takes; without those that are words."""
    found: dict[str, int] = {}
    for field in fields(group):  # pyright: ignore[reportArgumentType]
        value = getattr(group, field.name)
        name = f"{prefix}{field.name.replace('_', '-')}"
        if is_dataclass(value):
            found |= options(value, f"{name}.")
        elif not isinstance(value, bool | str) and not takes_words(field.type):
            found[name] = max(1, len(value)) if isinstance(value, tuple) else 2 if field.name == "size" else 1
    return found


OPTIONS = options(RenderSettings())
NUMBERS = [
    *("nan", "inf", "-inf", "0", "-0.0", "-1", "1", "2", "64", "0.5", "1e-320", "1e-30", "-1e30", "1e30", "1e309"),
    *("65", "1000000", "6400000", "2147483648", "9223372036854775808", "1" + "0" * 400, "0x10", "1_0", "", " ", "None"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("settings")
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(folder / "photo.png")
    np.save(folder / "depth.npy", rng.uniform(40, 80, (SIDE, SIDE)).astype(np.float32))
    return folder


def warp(folder: Path, *more: str) -> str:
    files = [str(folder / "photo.png"), "--depth", str(folder / "depth.npy"), "--depth-kind", "depth"]
    arguments = ["warp", *files, "--out", str(folder / "out"), "--path.frames", "2", *more]
    refusal = outcome(arguments, folder / "out")
    shutil.rmtree(folder / "out", ignore_errors=True)
    return refusal


@fuzz(40)
@given(st.lists(st.sampled_from(sorted(OPTIONS)), min_size=1, max_size=3, unique=True), st.data())
def test_any_number_for_any_setting(folder, names, data):
    more = []
    for name in names:
        more += [f"--{name}", *(data.draw(st.sampled_from(NUMBERS)) for _ in range(OPTIONS[name]))]
    warp(folder, *more)


@pytest.mark.parametrize("number", ["nan", "-inf"])
@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_what_is_no_number_is_refused(folder, name, number):
    assert warp(folder, f"--{name}", *[number] * OPTIONS[name])


ABSURD = [
    *(["--picture.size", "64", "6400000"], ["--picture.size", "-64", "64"], ["--picture.max-pixels", "1000000000000"]),
    *(["--picture.max-pixels", "0"], ["--picture.max-pixels", "-5"], ["--path.frames", "1000000000"]),
    *(["--path.radius", "1e-30", "1e-30"], ["--path.radius", "1e20", "1e20"], ["--path.radius", "0", "1"]),
    *(["--path.kind", "line", "--path.start", "0"], ["--path.kind", "line", "--path.end", "0", "5", "0"]),
    *(["--path.kind", "line", "--path.start", "1", "--path.end", "-1", "0", "0", "--path.frames", "3"],),
    *(["--camera.focal", "0"], ["--camera.focal", "1e-30"], ["--camera.focal", "1e30"], ["--camera.focal", "-0.0"]),
    *(
        ["--schedule.steps", "1000000000"],
        ["--schedule.rho", "0"],
        ["--schedule.rho", "-7"],
        ["--conditioning.fps", "0"],
    ),
    *(["--conditioning.fps", "100000"], ["--svd.motion-bucket", "-1"], ["--png-scale", "0"]),
    *(["--png-scale", "nan"], ["--png-scale", "-1"], ["--decode-chunk", "0"], ["--warp.dilation", "99999999"]),
    *(["--warp.sharpness", "-50"], ["--guidance.clamp", "2"], ["--guidance.learning-rate", "-1"]),
    *(["--guidance.hole-strength", "1.5"], ["--guidance.hole-strength", "0.5", "--conditioning.holes", "black"]),
]


@pytest.mark.parametrize("more", ABSURD, ids=" ".join)
def test_absurd_settings_are_refused(folder, more):
    assert warp(folder, *more)


@pytest.mark.parametrize("seed", ["-1", "1" + "0" * 30, "nan"])
@pytest.mark.parametrize(
    "command", [["demo"], ["single", "p", "--depth", "d", "--depth-kind", "depth", "--weights", "w"]]
)
def test_seeds(folder, command, seed):
    assert "seed" in outcome([*command, "--seed", seed, "--out", str(folder / "out")], folder / "out")


POSITIVE = st.floats(1e-9, 1e9)


@fuzz(50)
@given(
    steps=st.integers(1, 30),
    sigma_max=POSITIVE,
    sigma_min=POSITIVE,
    rho=POSITIVE,
    v1=POSITIVE,
    v2=POSITIVE,
    v3=POSITIVE,
)
def test_settings_that_are_taken_give_finite_schedules(steps, sigma_max, sigma_min, rho, v1, v2, v3):
    try:
        schedule = RenderSettings(ScheduleSettings(steps, sigma_max, sigma_min, rho)).schedule
        trust = RenderSettings(trust=TrustSettings(v1=v1, v2=v2, v3=v3)).trust
        sigmas = make_sigmas(schedule)
    except InputError:
        return
    assert np.isfinite(sigmas).all()
    table = make_trust(trust, sigmas, np.linspace(0, 5, 4), 700.0)
    for sigma in sigmas[:-1]:
        w = np.asarray(table(sigma))
        assert np.isfinite(w).all()
        assert 0 <= w.min() <= w.max() <= 1


def bomb(levels: int) -> str:
    """A few lines that stand for 10^levels numbers."""
    lines = ["a0: &a0 [0]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, levels)]
    return "\n".join([*lines, f"schedule: {{steps: *a{levels - 1}}}"])


PRESETS = {
    "deep": "[" * 100_000,
    "deep mapping": "{a: " * 5_000,
    "closed and deep": "schedule: " + "[" * 400 + "]" * 400,
    "itself": "schedule: &a [*a]",
    "itself, by name": "&a {schedule: *a}",
    "merged with itself": "&a {<<: *a}",
    "bomb": bomb(20),
    "bomb of a tuple": bomb(20).replace("schedule: {steps", "path: {radius"),
    "bomb of a choice": bomb(20).replace("schedule: {steps", "trust: {rule"),
    "bomb of names": bomb(20).replace("schedule: {steps: *a19}", "? *a19\n: 3"),
    "python": "schedule: !!python/object/apply:os.system [ls]",
    "no whole number": "schedule: {steps: !!int ''}",
    "no number": "path: {step_degrees: !!float ''}",
    "no truth": "warp: {quantize: !!bool perhaps}",
    "no day": "schedule: {steps: 2001-99-99}",
    "no time": "schedule: {steps: 2001-01-01 99:99:99}",
    "no bytes": "schedule: {steps: !!binary '&'}",
    "many digits": "schedule: {steps: 1" + "0" * 5_000 + "}",
    "digits of a fraction": "path: {step_degrees: 1" + "0" * 1_000 + "}",
    "base 60": "schedule: {steps: 1" + ":59" * 300_000 + "}",
    "long text": "schedule: {steps: " + "a" * 500_000 + "}",
    "long name": "schedule: {? " + "a" * 1_000 + "\n : 1}",
    "long list": "path: {radius: [" + "1, " * 100_000 + "]}",
    "list of names": "[schedule, path]",
    "text": "schedule",
    "control characters": "schedule: {steps: '\x01'}",
    "tab": "\tschedule: 1",
    "two documents": "schedule: {steps: 3}\n---\nschedule: {steps: 4}",
    "numbers as names": "{1: 2, null: 3, 1.5: 4, 2001-01-01: 5}",
    "unhashable name": "{[1]: 2}",
    "infinite": "path: {radius: [.inf, 1.0]}",
    "not a number": "path: {step_degrees: .nan}",
    "set": "!!set {schedule, path}",
    "pairs": "schedule: !!omap [steps: 3]",
}


def with_preset(folder: Path, content: bytes) -> str:
    (folder / "preset.yaml").write_bytes(content)
    files = [str(folder / "no photo"), "--depth", "none", "--depth-kind", "depth", "--out", str(folder / "out")]
    return outcome(["warp", *files, "--preset", str(folder / "preset.yaml")], folder / "out")


@pytest.mark.parametrize("name", PRESETS)
def test_hostile_presets_are_refused(folder, name):
    assert "preset.yaml" in with_preset(folder, PRESETS[name].encode())


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"\x00", "schedule: {steps: 3}".encode("utf-16"), b"\x80\x81", b"a: \xc3"]
)
def test_presets_of_other_bytes(folder, content):
    with_preset(folder, content)


NAMES = sorted({part for option in OPTIONS for part in option.replace("-", "_").split(".")})
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.dates()
    | st.binary(max_size=3)
    | st.sampled_from(["closed-form", "orbit", "dgs", 10**30, -(10**30), math.inf, math.nan])
)
NAME = st.sampled_from(NAMES) | st.sampled_from(NAMES) | st.text(max_size=3) | st.integers()
TREES = st.recursive(
    SCALARS, lambda node: st.lists(node, max_size=3) | st.dictionaries(NAME, node, max_size=4), max_leaves=12
)
GROUPS = [field.name for field in fields(RenderSettings)]


@fuzz(80)
@given(st.dictionaries(st.sampled_from(GROUPS), st.dictionaries(NAME, SCALARS, max_size=3) | TREES, max_size=3) | TREES)
def test_any_tree_as_a_preset(folder, tree):
    assert with_preset(folder, yaml.safe_dump(tree).encode())
