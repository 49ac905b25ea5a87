"""What a random scene consists of (no JAX here)."""

import dataclasses

from nvs_jax.errors import InputError


@dataclasses.dataclass(frozen=True)
class SceneSettings:
    """How many solids of each kind a scene has, and how far the camera stands.

    The counts are the same for every seed, so that all scenes of one setting share one compiled program.

    Attributes:
        crates: boxes standing on the floor.
        boards: thin upright boxes standing on the floor.
        paintings: thin boxes on the walls (out of doors: standing panels), 4 at most.
        spheres: on the floor, on crates, or floating.
        poles: thin upright capsules.
        rods: thin capsules at any angle, floating.
        columns: stout capsules outside the orbit, from floor to ceiling.
        moving: how many of the crates, and how many of the spheres, move with time.
        outdoor: probability of an open ground with a painted sky instead of a room.
        natural: probability of a scene most of whose surfaces look as in photographs: noise of all scales, leaves,
            writing, in earthy colours; its shadows have soft edges, where a pixel has several samples.
        orbit_radius: distance of the cameras from the origin, in scene units.
        field_of_view: horizontal angle of `default_view`, in degrees.
    """

    crates: int = 4
    boards: int = 2
    paintings: int = 3
    spheres: int = 5
    poles: int = 4
    rods: int = 2
    columns: int = 2
    moving: int = 2
    outdoor: float = 0.5
    natural: float = 0.0
    orbit_radius: float = 4.0
    field_of_view: float = 70.0

    def __post_init__(self):
        counts = {name: getattr(self, name) for name in ("crates", "boards", "spheres", "poles", "rods", "columns")}
        for name, count in counts.items():
            if count < 1:
                raise InputError(f"a scene needs at least one of its {name}, not {count}")
        if not 1 <= self.paintings <= 4:
            raise InputError(f"a scene has 1 to 4 paintings, one a wall, not {self.paintings}")
        for name in ("outdoor", "natural"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} of a scene must lie between 0 and 1, not {getattr(self, name)}")
        if not 0 < self.field_of_view < 170:
            raise InputError(f"the field of view must be between 0 and 170 degrees, not {self.field_of_view}")
        if not 3.5 <= self.orbit_radius <= 4.5:
            raise InputError(
                f"the scenes are laid out for an orbit radius of 3.5 to 4.5 units, not {self.orbit_radius}"
            )
