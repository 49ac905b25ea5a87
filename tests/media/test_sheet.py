import numpy as np

from nvs_jax.media import contact_sheet


def flat(height: int, width: int, shade: float) -> np.ndarray:
    return np.full((height, width, 3), shade, np.float32)


def test_pictures_keep_their_size_and_place() -> None:
    sheet = contact_sheet(
        [[("a", flat(40, 60, 0.2)), ("b", flat(30, 50, 0.4))], [("c", flat(20, 80, 0.6))]], gap=8, text=16
    )
    assert sheet.shape == (40 + 20 + 2 * (24 + 8), 80 + 50 + 3 * 8, 3)
    for shade, top, left, height, width in ((0.2, 24, 8, 40, 60), (0.4, 24, 96, 30, 50), (0.6, 96, 8, 20, 80)):
        place = np.abs(sheet - shade).max(-1) < 0.01
        assert place[top : top + height, left : left + width].all()
    np.testing.assert_array_equal(sheet[-1], 1)  # white around


def test_labels_are_written_and_stay_in_their_column() -> None:
    for label in ("a", "a label far too long for the picture below it"):
        sheet = contact_sheet([[(label, flat(10, 60, 1)), ("", flat(10, 60, 1))]])
        dark = np.argwhere(sheet[..., 0] < 0.5)
        assert len(dark)
        assert dark[:, 0].max() < 24
        assert 8 <= dark[:, 1].min() <= dark[:, 1].max() < 68
