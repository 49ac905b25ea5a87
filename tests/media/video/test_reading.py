import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.media import frame_rate, open_frames, open_video, read_video_file, write_video
from tests.media.clips import Recording, record

HEIGHT, WIDTH = 48, 64
TOLERANCE = 0.03  # compressed, in 8 bits


def upright(frames: int = 3, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Red above, blue to the left, and a grey that grows from frame to frame."""
    pictures = np.zeros((frames, height, width, 3), np.uint8)
    pictures += np.arange(40, 40 + 20 * frames, 20, dtype=np.uint8)[:, None, None, None]
    pictures[:, :, : width // 4] = [0, 0, 255]
    pictures[:, : height // 4] = [255, 0, 0]
    return pictures


# How a stored picture is shown, for each rotation of the display matrix (counterclockwise).
SHOWN = {0: lambda p: p, 90: np.rot90, 180: lambda p: p[::-1, ::-1], 270: lambda p: np.rot90(p, -1)}


@pytest.mark.parametrize("rotation", SHOWN)
def test_a_video_is_shown_upright(tmp_path: Path, rotation: int) -> None:
    path = record(tmp_path / "phone.mp4", upright(), how=Recording(rotation=rotation))
    shown = np.stack([SHOWN[rotation](picture) for picture in upright()]) / 255
    with open_video(path) as clip:
        assert clip.size == shown.shape[1:3]
    np.testing.assert_allclose(read_video_file(path, 10), shown, atol=TOLERANCE)


@pytest.mark.parametrize("rotation", SHOWN)
def test_a_mirrored_video_is_shown_as_players_do(tmp_path: Path, rotation: int) -> None:
    path = record(tmp_path / "front.mp4", upright(1), how=Recording(rotation=rotation, mirrored=True))
    read = read_video_file(path, 10)[0]
    # The matrix that av_display_matrix_flip makes: mirrored after it was turned.
    np.testing.assert_allclose(read, SHOWN[rotation](upright(1)[0])[:, ::-1] / 255, atol=TOLERANCE)


def test_pixels_become_square(tmp_path: Path) -> None:
    path = record(tmp_path / "dv.mp4", upright(), how=Recording(aspect=Fraction(3, 2)))
    with open_video(path) as clip:
        assert clip.size == (HEIGHT, 96)
        shown = next(clip.shots).picture
    assert shown[40, 20, 2] > 230 and shown[40, 28, 2] < 60  # a quarter of the width is blue still


def test_of_two_streams_the_one_that_is_shown(tmp_path: Path) -> None:
    small, large = upright(2, 32, 32), upright(2, 64, 96)
    with open_video(record(tmp_path / "marked.mkv", small, large, default=0)) as clip:
        assert clip.size == (32, 32)
    with open_video(record(tmp_path / "large.mkv", small, large, default=1)) as clip:
        assert clip.size == (64, 96)
    with open_video(record(tmp_path / "none.mkv", small, large, default=-1)) as clip:
        assert clip.size == (64, 96)


def test_frames_come_one_at_a_time_with_their_times(tmp_path: Path) -> None:
    path = record(tmp_path / "clip.mp4", upright(5), how=Recording(rate=Fraction(30000, 1001)))
    with open_video(path) as clip:
        assert (clip.size, clip.count) == ((HEIGHT, WIDTH), 5)
        assert clip.rate == pytest.approx(29.97, abs=0.001)
        shots = list(clip.shots)
    assert [shot.seconds for shot in shots] == pytest.approx([i * 1001 / 30000 for i in range(5)], abs=1e-4)
    greys = [shot.picture[-1, -1, 0] for shot in shots]
    np.testing.assert_allclose(greys, [40, 60, 80, 100, 120], atol=3)


def test_uneven_times_become_their_mean_rate(tmp_path: Path) -> None:
    path = record(tmp_path / "uneven.mkv", upright(4), how=Recording(rate=Fraction(10), times=(0, 1, 2, 6)))
    with open_video(path) as clip:
        assert frame_rate([shot.seconds for shot in clip.shots], clip.rate) == pytest.approx(5, rel=0.02)


def test_a_name_with_a_colon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    record(tmp_path / "clip.mp4", upright()).rename("take:1.mp4")
    assert read_video_file("take:1.mp4", 10).shape == (3, HEIGHT, WIDTH, 3)


PLAY_LISTS = {
    "list.ffconcat": "ffconcat version 1.0\nfile 'secret.mp4'\n",
    "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n",
    "list.m3u": "secret.mp4\n",
    "list.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    "list.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>secret.mp4</BaseURL></MPD>',
}


@pytest.mark.parametrize("name", PLAY_LISTS)
@pytest.mark.parametrize("ending", ["", ".mp4"])
def test_a_play_list_opens_nothing(tmp_path: Path, name: str, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    record(tmp_path / "secret.mp4", upright())
    Path(name + ending).write_text(PLAY_LISTS[name])
    with pytest.raises(InputError, match="not a video that can be read") as error, open_frames(name + ending):
        pass
    assert "\n" not in str(error.value)


def test_frames_beyond_the_bound_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    path = record(tmp_path / "clip.mp4", upright())
    with (
        pytest.raises(InputError, match=r"64x48 is 0 megapixels, more than 0\.001"),
        open_video(path, max_megapixels=0.001),
    ):
        pass
    stretched = record(tmp_path / "wide.mp4", upright(), how=Recording(aspect=Fraction(16, 11)))
    with (
        pytest.raises(InputError, match=r"93x48 is 0 megapixels, more than 0\.0035"),
        open_video(stretched, max_megapixels=0.0035),
    ):
        pass
    # The header says little, the stream much: the decoder has the bound, too.
    content = path.read_bytes()
    entry = content.index(b"avc1", content.index(b"stsd"))
    for at in (entry + 28, entry + 30):
        content = content[:at] + struct.pack(">H", 16) + content[at + 2 :]
    path.write_bytes(content)
    with pytest.raises(InputError), open_video(path, max_megapixels=0.001):
        pass


def test_a_video_longer_than_wanted(tmp_path: Path) -> None:
    path = record(tmp_path / "clip.mp4", upright())
    with pytest.raises(InputError, match="3 frames, more than 2; cut it first"), open_video(path, max_frames=2):
        pass
    unsaid = record(tmp_path / "clip.mkv", upright())
    with open_video(unsaid, max_frames=2) as clip:
        assert clip.count is None
        with pytest.raises(InputError, match="more than 2 frames; cut it first"):
            list(clip.shots)
    assert len(read_video_file(path, 3)) == 3


@pytest.mark.parametrize("content", [b"", b"hello" * 100, b"\x00\x00\x00\x18ftypisom", b"RIFF\xff\xff\xff\xffAVI LIST"])
def test_what_is_no_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError) as error, open_video(path):
        pass
    assert str(error.value).startswith(f"{path}: ") and "\n" not in str(error.value)
    for missing in (tmp_path / "none.mp4", tmp_path):
        with pytest.raises(InputError, match="no such file"), open_video(missing):
            pass


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.webm", "clip.avi", "web.mp4"])
@pytest.mark.parametrize("keep", [0.3, 0.97])
def test_a_video_that_is_cut_short(tmp_path: Path, name: str, keep: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (20, HEIGHT, WIDTH, 3), np.uint8)
    path = tmp_path / name
    if name == "web.mp4":  # its index comes first, so that it opens
        write_video(path, noise / np.float32(255))
    else:
        codec = {"clip.webm": "libvpx-vp9", "clip.avi": "mpeg4"}.get(name, "libx264")
        record(path, noise, how=Recording(codec=codec, pix_fmt="yuv420p", options={}))
    assert len(read_video_file(path, 20)) == 20
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(InputError, match=r"damaged|cut short|not a video") as error:
        read_video_file(path, 20)
    assert "\n" not in str(error.value)


def test_a_codec_that_nothing_decodes(tmp_path: Path) -> None:
    path = record(tmp_path / "clip.mp4", upright())
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzz9"))
    with pytest.raises(InputError, match="save it as H\\.264") as error, open_video(path):
        pass
    assert "\n" not in str(error.value)


def test_sound_alone(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    with pytest.raises(InputError, match="a file without a video"), open_video(tmp_path / "sound.mp4"):
        pass


LEAN = """
import resource, sys
from nvs_jax.media import fit, open_video
with open_video(sys.argv[1]) as clip:
    small = [fit(shot.picture, 64, 128, "crop")[0] for shot in clip.shots]
print(len(small), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.full
def test_memory_does_not_grow_with_the_pixels_of_a_clip(tmp_path: Path) -> None:
    peaks = []
    for height, width in ((180, 320), (720, 1280)):
        how = Recording(pix_fmt="yuv420p", options={"preset": "ultrafast"})
        path = record(
            tmp_path / f"{height}.mp4", np.broadcast_to(upright(1, height, width), (60, height, width, 3)), how=how
        )
        done = subprocess.run([sys.executable, "-c", LEAN, path], capture_output=True, text=True, check=True)
        count, kilobytes = map(int, done.stdout.split())
        assert count == 60
        peaks.append(kilobytes / 1000)
    # All frames as float32 would be 660 MB more; a decoder has a dozen of 1.4 MB, and one is converted.
    assert peaks[1] - peaks[0] < 150
