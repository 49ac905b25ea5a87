"""What steers each frame of a video, and how a long video is put together."""
