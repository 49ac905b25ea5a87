"""What comparisons of networks share, with PyTorch's or others."""

import numpy as np

# Compiling takes most of these tests' time, and less of it with less optimised machine code.
QUICK_COMPILE = {"xla_backend_optimization_level": 0}


def relative_error(ours, theirs) -> float:
    """Largest difference over largest value of `theirs`; a difference of shape is an error."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())
