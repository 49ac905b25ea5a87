"""Scores of the frames of a benchmark: over all pixels, over those that some given view shows, and over holes."""

from nvs_jax.evaluation.samples import Task
from nvs_jax.evaluation.scores import Frames, Scores, masked_psnr, score, ssim_maps


def known_scores(frames: Frames, task: Task) -> dict[str, list[float | None]]:
    """`score`'s, and the same over what some given view shows; without a truth, only how much is shown by none."""
    shares: list[float | None] = [float(share) for share in task.holes.mean((1, 2))]
    if task.truth is None:
        return {"hole_share": shares}
    found: Scores = score(frames, task.truth, task.holes)
    similar = ssim_maps(frames, task.truth)
    return {
        "psnr": list(found.psnr),
        "known_psnr": masked_psnr(frames, task.truth, ~task.holes),
        "hole_psnr": found.hole_psnr,
        "ssim": list(found.ssim),
        "known_ssim": [
            float(one[~hole].mean()) if (~hole).any() else None for one, hole in zip(similar, task.holes, strict=True)
        ],
        "hole_ssim": found.hole_ssim,
        "hole_share": shares,
    }
