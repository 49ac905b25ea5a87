"""How near a run comes to one of many steps of the same problem: the error of solver, steps and dtype together.

It is no quality of pictures. Post corrects once a step, so that with more steps it is another problem; a stochastic
solver has other noise in every run: of these the number says how far runs are apart, not how good they are.
"""

from dataclasses import replace

import numpy as np

from scripts.sampler.options import Options, Setting
from scripts.sampler.problems import make_problem
from scripts.sampler.programs import compile_run


class References:
    """The latents of the reference runs, each made once."""

    def __init__(self, options: Options):
        self._options, self._made = options, {}

    @property
    def name(self) -> str | None:
        """What the reference is, for tables and pictures; None: there is none."""
        steps = self._options.reference_steps
        return f"{self._options.reference_solver} in {steps} steps and float32" if steps else None

    def psnr(self, latents: object, setting: Setting) -> float | None:
        """Of latents in dB; None without a reference, or where nothing was sampled."""
        steps = self._options.reference_steps
        if latents is None or not steps:
            return None
        same = replace(setting, dtype=None, mesh=None)
        if same not in self._made:
            problem = make_problem(self._options.weights, same, self._options.reference_solver, steps, dtype="float32")
            self._made[same] = np.asarray(compile_run(problem).run(), np.float64)
        return psnr(np.asarray(latents, np.float64), self._made[same])


def psnr(found: np.ndarray, reference: np.ndarray) -> float | None:
    """10 log10 of the squared range of the reference over the mean squared error, in dB; None where that is not finite.

    >>> round(psnr(np.array([0.1, 1.1]), np.array([0.0, 1.0])), 2)
    20.0
    """
    error = float(np.mean((found - reference) ** 2))
    if not np.isfinite(error) or error == 0:
        return None
    return float(10 * np.log10(np.ptp(reference) ** 2 / error))
