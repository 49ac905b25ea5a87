import os
import subprocess
import sys

from tests.xla_flags import known


def test_a_flag_that_xla_does_not_know_is_found_out():
    assert known("xla_backend_optimization_level")
    assert not known("xla_backend_optimisation_level")


def test_xla_takes_the_flags_of_the_tests():
    flags = subprocess.run([sys.executable, "-m", "tests.xla_flags"], capture_output=True, text=True, check=True).stdout
    assert "--xla_backend_optimization_level=0" in flags
    program = "import jax; assert jax.numpy.ones(2).sum() == 2"
    environment = os.environ | {"XLA_FLAGS": flags.strip(), "JAX_PLATFORMS": "cpu"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
