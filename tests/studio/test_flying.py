"""A browser's camera and a pose are the same thing in two spellings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from nvs_jax.studio.flying import behind, fly_to, pose_of
from nvs_jax.studio.keys import centre_of, posed
from tests.studio.panes import Browser

numbers = st.floats(-3, 3)


@given(st.tuples(numbers, numbers, numbers), st.tuples(numbers, numbers, numbers))
def test_a_pose_is_flown_to_and_read_again(turn, centre):
    pose = posed(Rotation.from_rotvec(turn).as_matrix(), np.array(centre))
    browser = Browser(np.eye(4))
    fly_to(browser, pose, 2.0)
    np.testing.assert_allclose(pose_of(browser.camera), pose, atol=1e-9)
    np.testing.assert_allclose(pose @ [*browser.camera.look_at, 1], [0, 0, 2, 1], atol=1e-9)


@pytest.mark.parametrize("degrees", [0, 90, 180])
def test_from_behind_the_camera_and_what_it_looks_at_are_seen(degrees):
    turn = Rotation.from_euler("y", degrees, degrees=True).as_matrix()
    pose = posed(turn, np.array([1.0, 2.0, 3.0]))
    ahead = centre_of(pose) + 4.0 * pose[2, :3]
    away = behind(pose, 4.0)
    middle, camera = (away[:3, :3] @ point + away[:3, 3] for point in (ahead, centre_of(pose)))
    np.testing.assert_allclose(middle[:2], 0, atol=1e-9)
    assert 0 < camera[2] < middle[2]
    assert np.abs(camera[:2]).max() < camera[2]
