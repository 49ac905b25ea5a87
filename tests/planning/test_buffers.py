import pytest

from nvs_jax import InputError
from nvs_jax.planning import buffers
from nvs_jax.planning.buffers import parse_buffers, place_buffers
from nvs_jax.planning.compiling import Memory
from nvs_jax.planning.devices import parse_device
from nvs_jax.planning.programs import Model
from nvs_jax.planning.request import Request

# As the TPU compiler writes them.
REPORT = """Memory Space: default (color=0)
Total bytes: 3093925376 (2.88GiB)
  cumulative_size;       size;       offset; used_by_n_values; shapes_list
Memory Space: vmem (color=1)
Total bytes: 117329920 (111.89MiB)
"""
PLACES = """BufferAssignment:
allocation 0: size 4096, page 0, thread-local:
allocation 1: size 2000000000, page 0, parameter 585, shape |bf16[3,3,2560,1280]| at ShapeIndex {}:
 value: <39934 fusion.9198 @1> (size=1536,offset=13107200): bf16[2,320]{1,0:T(2,128)(2,1)S(1)}
allocation 2: size 500000000, parameter 4, shape |f32[2]| at ShapeIndex {}, output shape |f32[2]|, maybe-live-out:
allocation 3: size 100000000, page 0, output shape is |f32[1,2,8,8,4]|, maybe-live-out:
allocation 4: size 136, color 2, page 0, parameter 5, shape |s32[]| at ShapeIndex {}:
allocation 5: size 117329920, color 1, page 0, preallocated-temp:
"""


def test_arguments_results_and_what_takes_their_place_are_told_apart():
    memory = parse_buffers(REPORT, PLACES)
    assert memory == Memory(2_500_000_000, 600_000_000, 3_093_925_376 - 2_600_000_000, 500_000_000)
    assert memory.total == 3_093_925_376


def test_a_report_in_another_form_is_no_number():
    with pytest.raises(ValueError, match="does not say how many bytes"):
        parse_buffers(REPORT.replace("color=0", "color=7"), PLACES)


def test_without_the_compiler_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr("nvs_jax.planning.compiling.can_compile", lambda: False)
    with pytest.raises(InputError, match=r"TPU compiler is not installed: pip install 'nvs-jax\[tpu\]'"):
        place_buffers("embed", Model(), Request(), parse_device("v5e:1"), (1, 1, 1))


def test_what_the_other_process_says_is_said_here():
    request = Request(frames=2, height=64, width=64)
    message = "JaxRuntimeError: Ran out of memory in memory space hbm. Used 20.10G of 15.75G hbm."
    too_large = buffers._failed(message, "embed", Model(), request)
    assert too_large.memory.total == int(20.10 * 2**30)
    assert too_large.memory.arguments > 1e9
    with pytest.raises(RuntimeError, match="no such operation"):
        buffers._failed("JaxRuntimeError: no such operation", "embed", Model(), request)


def test_a_file_that_is_being_written_is_not_read(tmp_path):
    program = tmp_path / "module_0000.jit_sample.cl_1.after_optimizations_after_buffer_assignment.txt"
    assert not buffers._is_written(tmp_path)
    program.write_text("HloModule jit_sample\n\nENTRY %main () -> f32[] {\n  ROOT %x = f32[] cons")
    assert not buffers._is_written(tmp_path)
    program.write_text("HloModule jit_sample\n\nENTRY %main () -> f32[] {\n  ROOT %x = f32[] constant(1)\n}\n\n")
    assert buffers._is_written(tmp_path)
