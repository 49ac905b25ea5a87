"""What `scripts/bench_accelerator.py` consists of: a driver without JAX or PyTorch, and the stages, its children."""
