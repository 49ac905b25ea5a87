"""The networks: each family in a folder of its own, behind the contracts of `nvs_jax.diffusion.contracts`."""
