"""Wan's transformer, with and without VACE's branch."""
