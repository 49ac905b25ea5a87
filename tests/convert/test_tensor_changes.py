import numpy as np

from convert.tensor_changes import POINTWISE, TRANSPOSED, UNCHANGED, part

STORED = np.arange(24.0).reshape(6, 4)


def test_each_change_turns_the_shape_it_asks_for_into_the_one_wanted():
    for change in (UNCHANGED, TRANSPOSED, POINTWISE, *(part(index, 3) for index in range(3))):
        for wanted in ((2, 5), (3, 3)):
            stored = np.zeros(change.stored_shape(wanted))
            assert change.apply(stored).shape == wanted


def test_the_values_are_those_stored():
    np.testing.assert_array_equal(TRANSPOSED.apply(STORED), STORED.T)
    np.testing.assert_array_equal(POINTWISE.apply(STORED[:, :, None, None]), STORED)
    np.testing.assert_array_equal(np.concatenate([part(i, 3).apply(STORED) for i in range(3)]), STORED)
