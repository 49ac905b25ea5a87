"""A page in the browser: choose a camera's path, see the warps at once, render, watch.

`scene`, `keys`, `warps`, `command_line`, `session`, `changes` and `rendering` know nothing of a browser; `panels/` and
`server` are thin, and `door` is the only one that imports viser.
"""
