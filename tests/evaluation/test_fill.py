import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nvs_jax.evaluation.fill import fill_nearest


def test_holes_take_the_nearest_colour():
    pictures = np.zeros((2, 3, 5, 3), np.float32)
    known = np.zeros((2, 3, 5), bool)
    known[0, 1, 0] = known[0, 1, 4] = True
    pictures[0, 1, 0], pictures[0, 1, 4] = (1, 0, 0), (0, 0, 1)
    pictures[0, 0, 2] = 0.5  # a hole's own colour is nowhere to be seen
    filled = fill_nearest(pictures, known)
    assert (filled[0, :, :2] == (1, 0, 0)).all()
    assert (filled[0, :, 3:] == (0, 0, 1)).all()
    assert (filled[1] == 0).all()


@given(arrays(bool, (1, 6, 7)).filter(np.any), st.integers(0, 100))
def test_every_pixel_has_the_colour_of_a_known_one_at_the_least_distance(known, seed):
    pictures = np.random.default_rng(seed).random((1, 6, 7, 3), np.float32)
    filled = fill_nearest(pictures, known)[0]
    rows, columns = np.nonzero(known[0])
    for row in range(6):
        for column in range(7):
            distances = (rows - row) ** 2 + (columns - column) ** 2
            nearest = np.flatnonzero(distances == distances.min())
            colours = pictures[0, rows[nearest], columns[nearest]]
            assert (colours == filled[row, column]).all(-1).any()
