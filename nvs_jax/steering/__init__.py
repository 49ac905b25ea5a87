"""What steers each frame of a video, and how a long video is put together."""

from nvs_jax.steering.conditions import (
    Conditions,
    from_photo,
    from_pictures,
    from_video,
    from_views,
    pose_distances,
)
from nvs_jax.steering.legs import Plan, photo_plan, turn_plan, video_plan, views_plan
from nvs_jax.steering.preparing import Noise
from nvs_jax.steering.render import Part, Render, join, warp_plan

__all__ = [
    "Conditions",
    "Noise",
    "Part",
    "Plan",
    "Render",
    "from_photo",
    "from_pictures",
    "from_video",
    "from_views",
    "join",
    "photo_plan",
    "pose_distances",
    "turn_plan",
    "video_plan",
    "views_plan",
    "warp_plan",
]
