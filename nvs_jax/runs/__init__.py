"""A run on disk: its results, what it goes on from after being killed, and the processes that share it."""
