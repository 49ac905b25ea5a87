from types import SimpleNamespace

from scripts.accelerator.profile import durations


def event(name: str, microseconds: float, operation: str | None = None) -> SimpleNamespace:
    stats = [] if operation is None else [("hlo_op", operation), ("flops", 3)]
    return SimpleNamespace(name=name, duration_ns=1e3 * microseconds, stats=stats)


def line(name: str, *events: SimpleNamespace) -> SimpleNamespace:
    return SimpleNamespace(name=name, events=events)


def profile(**planes: list[SimpleNamespace]) -> SimpleNamespace:
    return SimpleNamespace(planes=[SimpleNamespace(name=name, lines=lines) for name, lines in planes.items()])


def test_kernels_of_all_streams_are_added_up_and_sums_of_them_left_out():
    streams = [
        line("Stream #1(Compute)", event("gemm", 5, "dot.1"), event("gemm", 7, "dot.1"), event("Memset", 2)),
        line("Stream #2(MemcpyD2H)", event("copy", 1, "copy.3")),
        line("XLA Modules", event("jit_run", 15)),
    ]
    host = [line("python", event("wait", 100, "dot.1"))]
    taken = durations(profile(**{"/host:CPU": host, "/device:GPU:0": streams}))
    assert {name: round(1e6 * seconds, 6) for name, seconds in taken.items()} == {"dot.1": 12, "Memset": 2, "copy.3": 1}


def test_a_cpus_instructions_are_those_of_its_threads():
    taken = durations(profile(**{"/host:CPU": [line("worker", event("x", 3, "fusion"), event("python call", 50))]}))
    assert {name: round(1e6 * seconds, 6) for name, seconds in taken.items()} == {"fusion": 3}
