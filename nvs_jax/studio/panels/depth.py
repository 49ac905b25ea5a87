"""Depth and lens: where near and far lie, in what scale, how wide the camera sees, and what is left out at edges."""

import math
from typing import Any, get_args

from nvs_jax.settings import CameraSettings
from nvs_jax.settings.camera import DisparityRule
from nvs_jax.studio import changes
from nvs_jax.studio.page import Page, when_new
from nvs_jax.studio.pictures import depth_beside
from nvs_jax.studio.session import Session
from nvs_jax.studio.widgets import Bound, bind, slider

_EDGES = "Points are left out where depth changes as on a surface tilted by more degrees than this"
_SCALE = "How far away what is in the middle is, which the path goes about: lengths of the path follow"


def depth_panel(gui: Any, page: Page) -> None:
    """The first view and its depth side by side, and what can be said of them."""
    scene, settings = page.session.scene, page.session.job.settings
    with gui.add_folder("Depth and lens", expand_by_default=False):
        picture = gui.add_image(depth_beside(page.session), label="depth; what is left out is marked")
        tilt = slider(
            gui,
            "max_tilt",
            settings.warp.max_tilt or 89.5,
            "edges",
            hint=_EDGES,
        )
        bounds = [
            bind(tilt, lambda: page.session.job.settings.warp.max_tilt, lambda value: _warp(page, max_tilt=value))
        ]
        if scene.sources is None:  # each of which has its own
            lens = slider(gui, "fov", degrees(settings.camera), "lens", hint="Horizontal angle of view in degrees")
            bounds.append(
                bind(lens, lambda: degrees(page.session.job.settings.camera), lambda value: _camera(page, fov=value))
            )
        planes = _Planes(gui, page)
        bounds += planes.bounds

    def show(session: Session) -> None:
        planes.show(session)
        for each in bounds:
            each.show()

    page.fast.append(when_new(lambda session: (session,), show))
    page.slow.append(
        when_new(
            lambda session: (session.scene, session.settings.warp.max_tilt),
            lambda session: setattr(picture, "image", depth_beside(session)),
        )
    )


def degrees(camera: CameraSettings) -> float:
    """Horizontal angle of view.

    >>> degrees(CameraSettings(fov=60.0))
    60.0
    """
    return round(math.degrees(2 * math.atan(0.5 / camera.focal_over_width)), 6)


class _Planes:
    """Near, far and scale of disparity, which has no unit of its own. Nothing of it where depth is in scene units."""

    def __init__(self, gui: Any, page: Page):
        camera = page.session.job.settings.camera
        low, high = camera.disparity.percentiles
        self.rule = gui.add_dropdown("rule", get_args(DisparityRule), camera.disparity.rule, visible=False)
        ratio, far = camera.disparity.max_ratio, "The far plane: percentile of disparity"
        self.folders = {rule: gui.add_folder(rule, visible=False) for rule in get_args(DisparityRule)}
        with self.folders["centred"]:
            self.centred = {
                "scale": slider(gui, "scale", page.session.path.distance, length=page.session.distance, hint=_SCALE),
                "far": slider(gui, "percentile", low, "far plane", hint=far),
                "near": slider(gui, "percentile", high, "near plane", hint="The near plane: percentile of disparity"),
                "ratio": slider(
                    gui, "max_ratio", ratio, "far / near", hint="The far plane: at most so many times as far"
                ),
            }
        with self.folders["release"]:
            self.release = {
                "scale": slider(gui, "disparity_scale", camera.disparity_scale, "scale / disparity"),
                "far": slider(gui, "far", camera.far, "farthest", hint="Largest depth"),
            }
        self.bounds = list(self._bounds(page))

    def _bounds(self, page: Page) -> "list[Bound]":
        def camera() -> CameraSettings:
            return page.session.job.settings.camera

        def plane(index: int, value: float) -> None:
            planes = list(camera().disparity.percentiles)
            planes[index] = float(value)
            _disparity(page, percentiles=tuple(planes))

        centred, release = self.centred, self.release
        return [
            bind(self.rule, lambda: camera().disparity.rule, lambda value: _disparity(page, rule=value)),
            bind(
                centred["scale"],
                lambda: page.session.path.distance,
                lambda value: page.change(changes.with_distance, float(value)),
            ),
            bind(centred["far"], lambda: camera().disparity.percentiles[0], lambda value: plane(0, value)),
            bind(centred["near"], lambda: camera().disparity.percentiles[1], lambda value: plane(1, value)),
            bind(
                centred["ratio"], lambda: camera().disparity.max_ratio, lambda value: _disparity(page, max_ratio=value)
            ),
            bind(
                release["scale"], lambda: camera().disparity_scale, lambda value: _camera(page, disparity_scale=value)
            ),
            bind(release["far"], lambda: camera().far, lambda value: _camera(page, far=value)),
        ]

    def show(self, session: Session) -> None:
        scene, rule = session.scene, session.job.settings.camera.disparity.rule
        there = scene.view.depth_kind == "disparity" and scene.clip is None and scene.sources is None
        self.rule.visible = there
        for each, folder in self.folders.items():
            folder.visible = there and each == rule


def _camera(page: Page, **values: float) -> None:
    page.change(changes.with_camera, **values)


def _disparity(page: Page, **values: Any) -> None:
    page.change(changes.with_disparity, **values)


def _warp(page: Page, **values: float) -> None:
    page.change(changes.with_warp, **values)
