"""Benchmarks of the field: samples of folders on disk, the scores that papers give of them, and a report."""
