"""The warp once more, in plain float64 numpy, written from its description: slow, and easy to check by eye."""

import numpy as np


def positions(depth, intrinsics, source_pose, target_pose):
    """Where each pixel lands, [n,2], and at which depth, [n]."""
    height, width = depth.shape
    to_target = target_pose @ np.linalg.inv(source_pose)
    landed, depths = [], []
    for y in range(height):
        for x in range(width):
            point = depth[y, x] * np.linalg.solve(intrinsics, [x, y, 1.0])
            u, v, z = intrinsics @ (to_target @ [*point, 1.0])[:3]
            landed.append((u / z, v / z))
            depths.append(z)
    return np.array(landed), np.array(depths)


def splat(colour, position, depth, size, depth_clip=5000.0, sharpness=50.0):
    """Colours [n,c] at positions [n,2]: summed and divided by the summed weight, [h,w,c], and that weight, [h,w]."""
    height, width = size
    log_depth = np.log(1 + np.clip(depth, 0, depth_clip))
    divisor = np.exp(sharpness * log_depth / (log_depth.max() or 1))
    x = np.clip(position[:, 0] + 1, 0, width + 1)
    y = np.clip(position[:, 1] + 1, 0, height + 1)
    colours = np.zeros((height + 2, width + 2, colour.shape[1]))
    weights = np.zeros((height + 2, width + 2))
    for column, across in ((np.floor(x), 1 - (x - np.floor(x))), (np.ceil(x), 1 - (np.ceil(x) - x))):
        for row, down in ((np.floor(y), 1 - (y - np.floor(y))), (np.ceil(y), 1 - (np.ceil(y) - y))):
            weight = across * down / divisor
            np.add.at(weights, (row.astype(int), column.astype(int)), weight)
            np.add.at(colours, (row.astype(int), column.astype(int)), weight[:, None] * colour)
    colours, weights = colours[1:-1, 1:-1], weights[1:-1, 1:-1]
    with np.errstate(invalid="ignore"):
        return np.where(weights[..., None] > 0, colours / weights[..., None], 0), weights


def dilate(mask, size):
    """Pixels with a True one in the square around them."""
    grown = np.zeros_like(mask)
    for y, x in np.argwhere(mask):
        grown[max(0, y - size // 2) : y + size // 2 + 1, max(0, x - size // 2) : x + size // 2 + 1] = True
    return grown
