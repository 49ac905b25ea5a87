"""From settings to noise levels."""

import jax
from jaxtyping import Array, Float

from nvs_jax.diffusion.combinators.warm_start import levels_from
from nvs_jax.diffusion.schedule import exponential_sigmas, flow_sigmas, karras_sigmas, listed_sigmas
from nvs_jax.settings import RenderSettings, ScheduleSettings


def make_sigmas(settings: ScheduleSettings) -> Float[Array, "levels"]:
    """The schedule of the settings; see `nvs_jax.diffusion.schedule`."""
    match settings.kind:
        case "karras":
            return karras_sigmas(settings.steps, settings.sigma_max, settings.sigma_min, settings.rho)
        case "exponential":
            return exponential_sigmas(settings.steps, settings.sigma_max, settings.sigma_min)
        case "flow":
            return flow_sigmas(settings.steps, settings.sigma_max)
        case "list":
            return listed_sigmas(settings.levels)


def make_levels(settings: RenderSettings) -> Float[Array, "levels"]:
    """The schedule of a render from where it starts; as numbers, whatever is being traced.

    Raises:
        InputError: a start above the schedule.
    """
    with jax.ensure_compile_time_eval():
        sigmas, start = make_sigmas(settings.schedule), settings.schedule.start
        return sigmas if start is None else levels_from(sigmas, start)
