"""Files as geometry models write them: names, shapes, types and order of what each program hands to its writer."""

import json
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image

N, H, W = 3, 28, 42
"""Pictures, and rows and columns of their maps: multiples of a patch of 14."""
RANDOM = np.random.default_rng(5)
DEPTHS = RANDOM.uniform(1, 4, (N, H, W)).astype(np.float32)
PICTURES = RANDOM.integers(0, 256, (N, H, W, 3), dtype=np.uint8)
K = np.array([[40.0, 0, W / 2], [0, 41.0, H / 2], [0, 0, 1]])


def poses() -> Float[np.ndarray, "n 4 4"]:
    """World-to-camera: the first where the world begins, others beside it and turned."""
    from scipy.spatial.transform import Rotation

    found = np.tile(np.eye(4), (N, 1, 1))
    for index in range(N):
        found[index, :3, :3] = Rotation.from_rotvec([0, 0.1 * index, 0.02 * index]).as_matrix()
        found[index, :3, 3] = [-0.3 * index, 0.01 * index, 0]
    return found


def vggt(path: Path) -> Path:
    """predictions.npz of VGGT's demo: everything its network gives, the pictures with channels first."""
    intrinsic = np.tile(K, (N, 1, 1)).astype(np.float32)
    np.savez(
        path,
        pose_enc=RANDOM.normal(size=(N, 9)).astype(np.float32),
        depth=DEPTHS[..., None],
        depth_conf=np.ones((N, H, W), np.float32),
        world_points=np.zeros((N, H, W, 3), np.float32),
        world_points_conf=np.ones((N, H, W), np.float32),
        images=np.moveaxis(PICTURES, -1, 1).astype(np.float32) / 255,
        extrinsic=poses()[:, :3].astype(np.float32),
        intrinsic=intrinsic,
        world_points_from_depth=np.zeros((N, H, W, 3), np.float32),
    )
    return path


def depth_anything_3(path: Path, pictures: str | None = "image") -> Path:
    """results.npz of Depth Anything 3's exports, npz (with pictures) or mini_npz (without)."""
    stored = {} if pictures is None else {pictures: PICTURES}
    np.savez_compressed(
        path,
        allow_pickle=False,
        **stored,
        depth=np.round(DEPTHS, 6),
        conf=np.ones((N, H, W), np.float32),
        extrinsics=poses()[:, :3].astype(np.float32),
        intrinsics=np.tile(K, (N, 1, 1)).astype(np.float32),
    )
    return path


def megasam(path: Path) -> Path:
    """Camera-to-world matrices and one K of all."""
    placed = np.linalg.inv(poses()).astype(np.float32)
    np.savez(path, images=PICTURES, depths=DEPTHS, intrinsic=K.astype(np.float32), cam_c2w=placed)
    return path


def moge(path: Path) -> Path:
    """What MoGe's `infer` returns, saved: infinite outside its mask, K over the picture's width and height."""
    mask = np.ones((H, W), bool)
    mask[:5] = False
    normalised = (K / np.array([[W], [H], [1.0]])).astype(np.float32)
    depth = np.where(mask, DEPTHS[0], np.inf).astype(np.float32)
    np.savez(path, points=np.zeros((H, W, 3), np.float32), depth=depth, mask=mask, intrinsics=normalised)
    return path


def moge_folder(folder: Path, fov: float = 60.0) -> Path:
    """What `moge infer --maps` leaves of one picture; its depth.exr."""
    folder.mkdir()
    depth = DEPTHS[0].copy()
    depth[:5] = np.inf
    write_exr(folder / "depth.exr", {"Y": depth}, zipped=True)
    Image.fromarray(np.where(np.isfinite(depth), 255, 0).astype(np.uint8)).save(folder / "mask.png")
    (folder / "fov.json").write_text(json.dumps({"fov_x": fov, "fov_y": 45.0}))
    return folder / "depth.exr"


def depthcrafter(path: Path, values: np.ndarray) -> Path:
    """The .npz of DepthCrafter's run.py: disparity from 0 to 1 over the whole video, called depth."""
    scaled = (values - values.min()) / (values.max() - values.min())
    np.savez_compressed(path, allow_pickle=False, depth=scaled.astype(np.float32))
    return path


def write_exr(
    path: Path, planes: dict[str, np.ndarray], *, half: bool = False, zipped: bool = False, version: int = 2
) -> Path:
    """An OpenEXR file of scan lines, as its library writes it: without compression, or ZIP in blocks of 16 rows."""
    names = sorted(planes)
    height, width = planes[names[0]].shape
    kind = 1 if half else 2

    def attribute(name: str, of: str, value: bytes) -> bytes:
        return name.encode() + b"\0" + of.encode() + b"\0" + len(value).to_bytes(4, "little") + value

    listed = b"".join(
        name.encode() + b"\0" + kind.to_bytes(4, "little") + bytes(4) + np.array([1, 1], "<i4").tobytes()
        for name in names
    )
    window = np.array([0, 0, width - 1, height - 1], "<i4").tobytes()
    header = b"\x76\x2f\x31\x01" + version.to_bytes(4, "little")
    header += attribute("channels", "chlist", listed + b"\0")
    header += attribute("compression", "compression", bytes([3 if zipped else 0]))
    header += attribute("dataWindow", "box2i", window) + attribute("displayWindow", "box2i", window)
    header += attribute("lineOrder", "lineOrder", b"\0")
    header += attribute("pixelAspectRatio", "float", np.float32(1).tobytes())
    header += attribute("screenWindowCenter", "v2f", bytes(8))
    header += attribute("screenWindowWidth", "float", np.float32(1).tobytes()) + b"\0"
    rows_a_block = 16 if zipped else 1
    blocks = []
    for first in range(0, height, rows_a_block):
        rows = range(first, min(first + rows_a_block, height))
        raw = b"".join(planes[name][row].astype("<f2" if half else "<f4").tobytes() for row in rows for name in names)
        data = _zip(raw) if zipped else raw
        blocks.append(first.to_bytes(4, "little") + len(data).to_bytes(4, "little") + data)
    at, table = len(header) + 8 * len(blocks), b""
    for block in blocks:
        table, at = table + at.to_bytes(8, "little"), at + len(block)
    path.write_bytes(header + table + b"".join(blocks))
    return path


def _zip(raw: bytes) -> bytes:
    """Even bytes before odd ones, each as its difference to the one before, then deflated; or as it is, if smaller."""
    data = np.frombuffer(raw, np.uint8)
    ordered = np.concatenate([data[::2], data[1::2]]).astype(np.int32)
    ordered[1:] = (ordered[1:] - ordered[:-1] + 128) % 256
    packed = zlib.compress(ordered.astype(np.uint8).tobytes())
    return packed if len(packed) < len(raw) else raw
