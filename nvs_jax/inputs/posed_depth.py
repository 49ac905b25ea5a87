"""Where the depth of a posed scene comes from: a folder of maps, maps that the scene names, or an estimate."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nvs_jax.errors import InputError
from nvs_jax.inputs.view import PNG_SCALE, DepthFile, DepthSource, EstimatedDepth
from nvs_jax.media.cameras import CameraSet, PosedCamera, find_depth_maps, read_cameras
from nvs_jax.media.cameras.views import holds_many
from nvs_jax.saying import say
from nvs_jax.settings import DepthKind


@dataclass(frozen=True)
class NamedDepth:
    """The depth maps that the scene's own files name, and what their numbers mean.

    Attributes:
        kind: of the maps.
        png_scale: of a .png, stored values a scene unit; None: as the scene says, and as of any other .png where it
            says nothing.
    """

    kind: DepthKind = "depth"
    png_scale: float | None = None


@dataclass(frozen=True)
class PosedDepth:
    """Where one view's depth comes from.

    Attributes:
        source: the file, or what estimates it.
        unit: of the file's numbers, in scene units.
    """

    source: DepthSource
    unit: float = 1.0


def has_depth(scene: Path, chosen: Sequence[int] = ()) -> bool:
    """Whether a posed scene names a depth map for every camera, or for every one that is chosen."""
    return all(camera.depth is not None for camera in read_cameras(scene, chosen, points=False).cameras)


def depths_of(known: CameraSet, depth: DepthSource | NamedDepth) -> list[PosedDepth]:
    """The depth of every camera; says what maps that the scene names are taken for.

    Args:
        known: the cameras, and the names of all pictures.
        depth: its path is a folder, see `nvs_jax.media.cameras.find_depth_maps`; or the scene's own; or what estimates.

    Raises:
        InputError: a camera without depth.
    """
    if isinstance(depth, EstimatedDepth):
        return [PosedDepth(depth)] * len(known.cameras)
    if isinstance(depth, NamedDepth):
        found = [_named(camera, depth) for camera in known.cameras]
        for line in dict.fromkeys(line for _, line in found):
            say(line)
        return [where for where, _ in found]
    maps = find_depth_maps(depth.path, [_name(camera) for camera in known.cameras], known.names)
    return [PosedDepth(replace(depth, path=path)) for path in maps]


def _named(camera: PosedCamera, depth: NamedDepth) -> tuple[PosedDepth, str]:
    """Where a camera's depth is according to the scene, and a line on what it is taken for."""
    if camera.depth is None:
        raise InputError(f"{camera.picture} comes without depth: give a folder of depth maps with --depth")
    line = f"the scene's own {camera.depth.suffix} depth is read as {depth.kind}"
    scale_of_png = depth.kind == "depth" and camera.depth.suffix.lower() == ".png"
    if depth.png_scale is not None and not scale_of_png:
        line += "; --png-scale is for a .png of depth"
    unit = camera.depth_unit
    if camera.index is not None and holds_many(camera.depth):
        return PosedDepth(DepthFile(camera.depth, depth.kind, index=camera.index)), f"{line} in the cameras' units"
    if depth.kind == "disparity":  # of which the scale does not matter
        return PosedDepth(DepthFile(camera.depth, depth.kind)), line
    if scale_of_png and (depth.png_scale is not None or unit is None):
        scale = depth.png_scale or PNG_SCALE
        why = "" if depth.png_scale is None else ", as --png-scale says"
        return PosedDepth(DepthFile(camera.depth, depth.kind, scale)), f"{line}, {scale:g} steps a unit{why}"
    if unit is None:
        return PosedDepth(DepthFile(camera.depth, depth.kind)), f"{line} in the cameras' units"
    file = DepthFile(camera.depth, depth.kind, 1.0)
    return PosedDepth(file, unit.size), f"{line}, {1 / unit.size:g} steps a unit, as its {unit.name} says"


def _name(camera: PosedCamera) -> str:
    if camera.name is not None:
        return camera.name
    return "" if camera.picture is None else camera.picture.name
