"""What `nvs-jax convert` does, and says."""

import time

from convert.loading import convert
from nvs_jax.saying import tell
from nvs_jax.settings.jobs import ConvertJob


def run_convert(job: ConvertJob) -> None:
    """Convert, then say what was made and what it took.

    Raises:
        InputError: see `convert.convert`.
    """
    start = time.monotonic()
    made = convert(
        job.source,
        job.destination,
        job.dtype,
        overwrite=job.overwrite,
        variant=job.variant,
        model=job.model,
        texts=job.prompts,
        unet=job.unet,
    )
    tell(
        f"{job.destination}: {made['frames']} frames, {made['bytes'] / 1e9:.2f} GB of weights, "
        f"{time.monotonic() - start:.0f} s, at most {made['peak_memory'] / 1e9:.2f} GB of memory"
    )
