from typing import Any

import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.geometry import full_turn, orbit, turn_order

LEGS = full_turn(6, 7, frames=13)


def test_is_the_authors_recipe():
    assert [(leg.start_angle, leg.end_angle) for leg in LEGS] == [
        (0, 30),
        (30, 60),
        (60, 120),
        (0, -30),
        (-30, -60),
        (-60, -120),
        (120, 240),
    ]
    assert [leg.kind for leg in LEGS] == ["single"] * 6 + ["closing"]


def test_legs_chain():
    for number, leg in enumerate(LEGS):
        if leg.start_leg is None:
            np.testing.assert_allclose(leg.poses[0], orbit(6, 7, 1, 1)[0], atol=1e-6)
        else:
            assert leg.start_leg < number
            np.testing.assert_allclose(leg.poses[0], LEGS[leg.start_leg].poses[-1], atol=4e-6)
        assert (leg.end_leg is None) == (leg.kind == "single")
    closing = LEGS[-1]
    assert closing.end_leg is not None
    np.testing.assert_allclose(closing.poses[-1], LEGS[closing.end_leg].poses[-1], atol=4e-6)


def test_goes_once_round_without_a_gap():
    order = turn_order(LEGS)
    assert len(order) == 7 * 13 - 7  # every pose where legs meet is there once
    poses = np.stack([LEGS[leg].poses[frame] for leg, frame in order])
    centres = -np.einsum("fji,fj->fi", poses[:, :3, :3], poses[:, :3, 3])
    angles = np.rad2deg(np.arctan2(centres[:, 0] / 6, centres[:, 2] / 7)) % 360
    steps: Any = np.diff(np.append(angles, angles[0] + 360))
    assert steps.min() > 0
    assert steps.max() < 120 / 12 + 1e-3
    assert steps.sum() == pytest.approx(360, abs=1e-3)
    np.testing.assert_allclose(centres[:, 1], 0, atol=1e-5)


def test_refuses_what_is_no_turn():
    for stops in ((), (60.0, 30.0), (0.0, 90.0), (90.0, 180.0)):
        with pytest.raises(InputError, match="stops of a full turn"):
            full_turn(6, 7, 5, stops)
    with pytest.raises(InputError, match="at least 2 frames"):
        full_turn(6, 7, 1)
