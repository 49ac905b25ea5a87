"""`python -m nvs_jax` is `nvs-jax`."""

from nvs_jax.cli import main

if __name__ == "__main__":
    main()
