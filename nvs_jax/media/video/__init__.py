"""Frames in and out: video files of any kind, an .mp4, a .gif, a folder of numbered .png files."""

from nvs_jax.media.video.clips import Clip, Shot, frame_rate
from nvs_jax.media.video.folders import files_in, folder_shape, frame_files, in_order, read_frames
from nvs_jax.media.video.reading import VIDEO_SUFFIXES, open_frames, open_video, read_video_file
from nvs_jax.media.video.writing import check_encoder, write_frames, write_gif, write_picture, write_video

__all__ = [
    "VIDEO_SUFFIXES",
    "Clip",
    "Shot",
    "check_encoder",
    "files_in",
    "folder_shape",
    "frame_files",
    "frame_rate",
    "in_order",
    "open_frames",
    "open_video",
    "read_frames",
    "read_video_file",
    "write_frames",
    "write_gif",
    "write_picture",
    "write_video",
]
