"""A scene: arrays only, of the same shapes for every seed."""

from typing import NamedTuple

from nvs_jax.scenes.shading import Lights
from nvs_jax.scenes.solids import Geometry
from nvs_jax.scenes.textures import Material


class Scene(NamedTuple):
    """Solids, their materials ([six faces of the room, boxes, spheres, capsules]) and lights."""

    geometry: Geometry
    material: Material
    lights: Lights
