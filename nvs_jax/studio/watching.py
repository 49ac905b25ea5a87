"""A render watched from outside: its stages, a stop between them, and its latents as pictures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt8

from nvs_jax.diffusion.problem import Report
from nvs_jax.diffusion.sampler import Carry
from nvs_jax.media import to_bytes
from nvs_jax.pipeline import Pipeline
from nvs_jax.runs.latent_colours import Colours, fit_colours
from nvs_jax.runs.stopping import StopRequest
from nvs_jax.runs.watched import WatchedLegs, shown_latents
from nvs_jax.steering import Plan, Render
from nvs_jax.steering.leg_states import LegStates


@dataclass(frozen=True)
class Watch:
    """Who wants to know.

    Attributes:
        stop: asked between stages, too.
        report: of stages.
        preview: of pictures of the latents; None: they are not made.
    """

    stop: StopRequest
    report: Report
    preview: Callable[[UInt8[np.ndarray, "h w 3"]], None] | None = None

    def told(self, stage: str, done: int, total: int) -> None:
        """Pass it on, and stop where nothing is computed that is not kept.

        Raises:
            Stopped: it was asked for.
        """
        self.report(stage, done, total)
        if stage in ("warp", "encode"):
            self.stop.obey(f"after {stage}")


class Watched(Pipeline):
    """A pipeline whose renders are watched.

    Args:
        pipeline: that renders.
        watch: who wants to know.
        colours: of the model's latents; where there are none yet, they are fitted when they are needed, and put there.
    """

    def __init__(self, pipeline: Pipeline, watch: Watch, colours: list[Colours]):
        super().__init__(pipeline.model, pipeline.mesh, pipeline.settings)
        self._watch, self._colours = watch, colours

    def render_plan(
        self, plan: Plan, *given: Any, report: Report | None = None, run: LegStates | None = None, **others: Any
    ) -> Render:
        """See `Pipeline.render_plan`."""

        def told(stage: str, done: int, total: int) -> None:
            if report is not None:
                report(stage, done, total)
            self._watch.told(stage, done, total)

        if run is not None and self._watch.preview is not None:
            run = WatchedLegs(run, self._shower(plan, self._watch.preview))
        return super().render_plan(plan, *given, report=told, run=run, **others)

    def _shower(self, plan: Plan, preview: Callable[[np.ndarray], None]) -> Callable[[Carry], None]:
        def show(carry: Carry) -> None:
            if not self._colours:
                model = self.model.told(plan.settings)
                self._colours.append(fit_colours(model.codec(), model.lattice))
            preview(to_bytes(shown_latents(self._colours[0], np.asarray(carry.x[0], np.float32))))

        return show
