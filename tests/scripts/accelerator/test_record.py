import json

import pytest

from nvs_jax.errors import InputError
from scripts.accelerator.page import markdown
from scripts.accelerator.record import NAME, begin, merged, read
from scripts.accelerator.rows import Entry


def entry(what: str, card: str = "H100", stage: str = "dgs", **others) -> Entry:
    side = "torch" if stage.startswith("torch") else "jax"
    return Entry(stage, side, "full", "fast", {"card": card, side: "1.0"}, what, {"ms": 400.0}, **others)


def test_an_earlier_run_in_the_same_folder_is_kept_beside(tmp_path):
    for count in range(3):
        record = begin(tmp_path)
        record.add([entry(f"run {count}")])
    names = sorted(path.name for path in tmp_path.glob("*.json"))
    assert len(names) == 3
    kept = {read(tmp_path / name)[0].what for name in names}
    assert kept == {"run 0", "run 1", "run 2"}
    assert read(tmp_path)[0].what == "run 2"


def test_findings_are_read_as_they_were_written(tmp_path):
    record = begin(tmp_path)
    record.add([entry("a step", note="odd", failed=True, clocks="SM 1980 MHz")])
    assert read(tmp_path) == record.entries == read(tmp_path / NAME)


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"rows": [{"figures": {}}]}', '{"rows": [3]}', '{"rows": [{"figures": {"ms": "x"}}]}']
)
def test_what_is_no_result_is_named(tmp_path, text):
    (tmp_path / NAME).write_text(text)
    with pytest.raises(InputError, match=r"results\.json is not what"):
        read(tmp_path)


def test_a_folder_without_results_is_named(tmp_path):
    with pytest.raises(InputError, match=r"results\.json is missing"):
        read(tmp_path)


def test_of_the_same_thing_on_the_same_card_the_later_finding_counts():
    old = [entry("a step"), entry("a step", card="H200"), entry("numbers", stage="numerics")]
    new = [entry("a step", note="again"), entry("UNet", stage="torch-eager")]
    both = merged([old, new])
    assert [(one.what, one.environment["card"], one.note) for one in both] == [
        ("a step", "H100", "again"),
        ("a step", "H200", ""),
        ("numbers", "H100", ""),
        ("UNet", "H100", ""),
    ]


def test_the_page_says_what_each_finding_was_measured_on_in_the_order_of_stages():
    page = markdown(
        [entry("UNet", stage="torch-eager"), entry("a | step", card="H200"), entry("never began", stage="vae")]
    )
    assert page.index("a / step") < page.index("never began") < page.index("UNet")
    assert "1. H100; full size; torch 1.0" in page
    assert "2. H200; full size, fast flags; jax 1.0" in page
    assert "| dgs | 2 | a / step | ms 400 |" in page


def test_json_and_page_are_replaced_as_a_whole(tmp_path):
    record = begin(tmp_path)
    for count in range(5):
        record.add([entry(str(count))])
        assert len(json.loads((tmp_path / NAME).read_text())["rows"]) == count + 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [NAME, "results.md"]
