"""Advice on memory: single options that suffice, else several that do together; never one that is on already."""

from nvs_jax.planning.advice import advise, changes, peak, report
from nvs_jax.planning.devices import GIB, parse_device
from nvs_jax.planning.estimate import Phase
from nvs_jax.planning.request import Request

WIDE = Request(dtype="float32")
FRUGAL = Request(
    frames=14, height=320, width=576, sequential=True, chunk=2, tile=(320, 512), vae_dtype="bfloat16", dtype="bfloat16"
)


def assess(request, low_memory):
    """A device where all weights take 8 GiB, or the largest 3, in half the type half of it, and a frame 0.25 GiB."""
    weights = (3 if low_memory else 8) * GIB // (1 if request.dtype == "float32" else 2)
    return [
        Phase("embed", weights, 0, 0, "measured"),
        Phase("sample", weights, 0, int(request.frames * 0.25 * GIB), "measured"),
    ]


def options(request, low_memory=False):
    return [change.option for change in changes(request, low_memory)]


def test_options_that_are_on_already_are_not_offered():
    assert options(FRUGAL, low_memory=True) == []
    assert options(FRUGAL) == ["--low-memory"]
    assert options(WIDE)[:3] == ["--low-memory", "--memory.sequential-guidance", "--dtype bfloat16"]
    assert all(change.request != WIDE or change.low_memory for change in changes(WIDE, False))


def test_the_largest_phase_decides():
    assert peak(assess(WIDE, False)) == 14.25 * GIB


def test_single_options_that_suffice_are_listed_and_no_others():
    lines = advise(WIDE, False, parse_device("gpu:14GB"), assess)  # 10.5 GiB of it
    assert lines[0] == "It fits with any one of:"
    assert [line.split("  (")[0].strip() for line in lines[1:]] == ["--low-memory", "--dtype bfloat16"]


def test_what_no_option_does_alone_several_do_together():
    lines = advise(WIDE, False, parse_device("gpu:11GB"), assess)  # 8.25 GiB of it
    assert lines[0] == "It fits with all of:"
    assert [line.split("  (")[0].strip() for line in lines[1:]] == ["--low-memory", "--dtype bfloat16"]


def test_what_nothing_helps_needs_a_larger_device():
    assert advise(WIDE, False, parse_device("gpu:2GB"), assess) == [
        "No combination of options makes it fit: take a larger device."
    ]


def test_a_report_marks_the_phase_that_is_too_much():
    device = parse_device("gpu:16GB")
    text = report("photo", WIDE, False, device, assess(WIDE, False), ["Do this."])
    (line,) = [line for line in text.splitlines() if "too much" in line]
    assert line.startswith("sample")
    assert "It does not fit: 14.25 of 12.00 GiB." in text
    assert "Do this." in text
    assert "It fits: 14.25 of 15.75 GiB." in report("x", WIDE, False, parse_device("v5e:1"), assess(WIDE, False), [])
