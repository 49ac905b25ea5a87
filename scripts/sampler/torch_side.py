"""The same runs in PyTorch: the release's loop, Euler's steps around diffusers' UNet, as it is and compiled."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nvs_jax.diffusion import Problem
from scripts.sampler.rows import Row


def torch_runs(weights: str, problem: Problem, views: Any, row: Row) -> list[tuple[Row, Callable[[], object] | None]]:
    """Rows to be, and what is timed for each; None where it cannot be run.

    Args:
        weights: a folder in diffusers' layout.
        problem: whose conditions, noise and levels they have.
        views: that they are guided by.
        row: what theirs begin as; its guidance is none, dgs or post.
    """
    import torch
    from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel

    from scripts.torch_loop import LoopInputs, TorchLoop

    denoiser: Any = problem.denoiser
    told = np.array(denoiser.image_latent), np.array(denoiser.embedding)
    inputs = LoopInputs(np.array(problem.noise), np.array(views), *told, np.asarray(problem.sigmas))
    evaluations, made = row.steps * (3 if row.guidance == "post" else 2), []
    for compiled in (False, True):
        unet = UNetSpatioTemporalConditionModel.from_pretrained(Path(weights) / "unet").eval()
        loop = TorchLoop(torch.compile(unet) if compiled else unet, inputs, row.guidance)
        side = "PyTorch, compiled" if compiled else "PyTorch"
        own, begun = replace(row, side=side, solver="euler", evaluations=evaluations), time.perf_counter()
        try:
            loop.step(0)
        except Exception as error:  # torch.compile may find no compiler, or fail in any way of its own
            reason = " ".join(str(error).split())[:80]
            made.append((replace(own, note=f"{type(error).__name__}: {reason}"), None))
        else:
            made.append((replace(own, compile_s=time.perf_counter() - begun if compiled else None), loop))
    return made
