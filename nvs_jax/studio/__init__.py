"""A page in the browser: choose a camera's path, see the warps at once, render, watch.

`scene`, `keys`, `warps`, `command_line`, `session` and `rendering` know nothing of a browser; `panels` and `server` are
thin, and the only ones that import viser.
"""
