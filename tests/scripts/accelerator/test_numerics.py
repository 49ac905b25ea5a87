import dataclasses

import numpy as np
import pytest

from scripts.accelerator.numerics import ALLOWED, STORED, numerics
from scripts.accelerator.sizes import FULL, TOY


def test_the_stored_answer_is_small_and_of_one_unet():
    stored = dict(np.load(STORED))
    assert STORED.stat().st_size < 1_000_000
    assert stored["v"].shape == (*stored["x"].shape[:-1], 4)
    assert np.isfinite(stored["v"]).all()


@pytest.mark.full
def test_a_cpu_agrees_with_itself_and_the_release_at_every_precision():
    size = dataclasses.replace(FULL, tokens=TOY.tokens)
    rows = {row.what: row for row in numerics(size)}
    assert not any(row.failed for row in rows.values())
    assert rows["svd-tiny UNet, bfloat16"].figures["difference"] > ALLOWED["float32"]
    assert rows["solver, the release's latents"].figures["difference"] < 2e-5
