"""Wan's noise levels, in EDM's convention."""


def flow_sigmas(steps: int, shift: float) -> tuple[float, ...]:
    """Falling noise levels t / (1 - t) of a flow whose times fall evenly from 1, before they are shifted.

    t' = shift t / (1 + (shift - 1) t) is sigma' = shift sigma. The first time is 999/1000: at 1 nothing but noise is
    left, and sigma has no number for that.

    Args:
        steps: of the solver.
        shift: 3 for videos of 480 rows, 5 for 720.

    >>> [round(sigma, 3) for sigma in flow_sigmas(4, 3.0)]
    [2997.0, 9.0, 3.0, 1.0]
    """
    times = [min(1 - step / steps, 0.999) for step in range(steps)]
    return tuple(shift * time / (1 - time) for time in times)
