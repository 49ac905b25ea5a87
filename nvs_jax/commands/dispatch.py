"""From a job to the subcommand that does it. What JAX needs to know beforehand is said before JAX is imported."""

import sys

from nvs_jax.settings.benchmark import BenchmarkJob
from nvs_jax.settings.jobs import (
    BatchJob,
    CheckJob,
    ConvertJob,
    DemoJob,
    DepthJob,
    EvaluateJob,
    Job,
    PlanJob,
    RenderJob,
    StudioJob,
)


def run_job(job: Job | BenchmarkJob) -> None:
    """Do what the command line asked for.

    Raises:
        InputError: a mistake of the user's.
        SystemExit: what was asked for is done, and the answer is no.
    """
    if isinstance(job, PlanJob):  # before JAX looks for devices
        from nvs_jax.commands.plan import run_plan

        sys.exit(0 if run_plan(job) else 1)
    from nvs_jax.commands.back_end import require_back_end
    from nvs_jax.commands.compilation_cache import enable_compilation_cache

    enable_compilation_cache()
    meets_others = job.mesh.hosts if isinstance(job, RenderJob) else isinstance(job, BatchJob)
    if not meets_others:  # which comes first
        require_back_end()
    match job:
        case RenderJob():
            from nvs_jax.commands.render import run_here_or_on_hosts

            run_here_or_on_hosts(job)
        case BatchJob():
            from nvs_jax.commands.batch import run_batch

            code = run_batch(job).exit_code
            if code:
                sys.exit(code)
        case ConvertJob():
            from nvs_jax.commands.convert import run_convert

            run_convert(job)
        case CheckJob():
            from nvs_jax.commands.check import run_check

            if not run_check(job):
                sys.exit(1)
        case EvaluateJob():
            from nvs_jax.commands.evaluate import run_evaluate

            run_evaluate(job)
        case BenchmarkJob():
            from nvs_jax.commands.benchmark import run_benchmark

            run_benchmark(job)
        case DepthJob():
            from nvs_jax.commands.depth import run_depth

            run_depth(job)
        case DemoJob():
            from nvs_jax.commands.demo import run_demo

            run_demo(job)
        case StudioJob():
            from nvs_jax.commands.studio import run_studio

            run_studio(job)
