"""Choosing a camera's path by looking at its warps: what a page in the browser needs, without the page.

A session is data, and what changes it are functions; no command leads here yet.
"""
