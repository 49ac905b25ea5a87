"""Solvers of the probability-flow ODE dX = (X - mu(X, sigma)) / sigma dsigma (6-7): a module each.

A module is called as its solver is chosen, and its docstring begins `TITLE: what it is.` Nothing lists them:
`nvs_jax.settings.registry` finds what lies here.
"""
