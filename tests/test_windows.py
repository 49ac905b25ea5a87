"""Windows cover what they are cut from, and give it back."""

import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.windows import Window, overlapping_windows


@pytest.mark.parametrize("extra", [0, 8])
@pytest.mark.parametrize(
    ("height", "width", "multiple"), [(72, 128, 8), (40, 64, 8), (8, 8, 8), (9, 17, 1), (56, 24, 8)]
)
def test_four_windows_cover_every_cell_and_stay_inside(height, width, multiple, extra):
    windows = overlapping_windows(height, width, multiple, extra)
    covered = np.zeros((height, width), int)
    for window in windows:
        assert window.row >= 0
        assert window.row + window.height <= height
        assert window.column + window.width <= width
        covered[window.row : window.row + window.height, window.column : window.column + window.width] += 1
    assert len(windows) == 4
    assert covered.min() >= 1


def test_lower_windows_start_higher_by_the_extra_rows_and_reach_the_last_row():
    assert [(window.row, window.height) for window in overlapping_windows(72, 128, 8, 8)] == [(0, 40)] * 2 + [
        (24, 48)
    ] * 2


def test_what_is_cropped_is_pasted_back_to_its_place():
    x = jnp.arange(2 * 3 * 4 * 5 * 2.0).reshape(2, 3, 4, 5, 2)
    window = Window(1, 2, 2, 3)
    part = window.crop(x)
    np.testing.assert_array_equal(part, x[:, :, 1:3, 2:5])
    np.testing.assert_array_equal(window.paste(x, part), x)
    expected = np.asarray(x).copy()
    expected[:, :, 1:3, 2:5] = -1
    np.testing.assert_array_equal(window.paste(x, jnp.full_like(part, -1)), expected)


def test_masks_without_channels_are_cut_alike():
    mask = jnp.arange(12).reshape(1, 1, 3, 4) % 2 == 0
    window = Window(1, 1, 2, 2)
    np.testing.assert_array_equal(window.crop(mask), mask[:, :, 1:, 1:3])
    np.testing.assert_array_equal(window.paste(mask, window.crop(mask)), mask)
