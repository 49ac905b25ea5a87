import dataclasses

import jax
import pytest

from nvs_jax.pipeline import override
from nvs_jax.settings import RenderSettings
from scripts.accelerator.renders import conditions
from scripts.accelerator.sampling import make_problem, owner
from scripts.accelerator.sizes import TOY
from tests.tiny import FRAMES, HEIGHT, WIDTH, tiny_pipeline


@pytest.mark.parametrize("method", ["dgs", "post"])
def test_the_program_that_is_timed_is_the_pipelines(method):
    """The same arrays in the same places, settings included, so that the pipeline finds it compiled."""
    size = dataclasses.replace(TOY, frames=FRAMES, height=HEIGHT, width=WIDTH)
    settings = override(RenderSettings(), method, size.steps)
    theirs = tiny_pipeline().prepare(conditions(size), jax.random.key(0), settings)
    ours = make_problem(size, method)
    assert jax.tree.structure(ours) == jax.tree.structure(theirs)
    assert [*map(jax.typeof, jax.tree.leaves(ours))] == [*map(jax.typeof, jax.tree.leaves(theirs))]


@pytest.mark.parametrize(
    ("target", "attributes", "whose"),
    [
        ("__cublas$lt$matmul", "", "cublas"),
        ("__cudnn$convForward", "", "cudnn"),
        ("__cudnn$fmhaSoftmax", "", "cudnn"),
        ("", 'kind=kCustom, backend_config={"fusion_backend_config":{"kind":"__triton_gemm"}}', "triton"),
    ],
)
def test_kernels_are_counted_by_whose_they_are(target, attributes, whose):
    assert owner("custom-call" if target else "fusion", target, attributes) == whose
