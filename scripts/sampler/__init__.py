"""The benchmark of the sampler: `scripts/bench_sampler.py` is its command."""
