from scripts.sampler_rows import About, Row, finished, markdown


def test_a_row_is_finished_with_its_time_and_share():
    row = finished(Row("nvs-jax", "euler", "dgs", 10, 20, tflop=30.0), [2.0, 1.0, 4.0], 60.0)
    assert (row.step_ms, row.fastest_ms, row.slowest_ms) == (200, 100, 400)
    assert row.share == 0.25
    unknown = finished(Row("PyTorch", "euler", "dgs", 10, 20, note="no compiler"), [], 60.0)
    assert unknown.step_ms is None
    table = markdown(About("a device", 1, "float32", "random", 3), [row, unknown])
    assert table.startswith("a device, float32, weights: random, median of 3\n")
    assert "| 200.0 |" in table
    assert "25.0%" in table
    assert "no compiler" in table
