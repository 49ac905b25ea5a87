"""The report of a benchmark: its tables, what was measured of kept frames, and what others have published."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from nvs_jax.commands.benchmark_results import Bench
from nvs_jax.commands.benchmark_tasks import part_of, shorter_side
from nvs_jax.diffusion.assemble import count_steps
from nvs_jax.disk import atomic_path
from nvs_jax.evaluation.field.distances import distance_lines, distances, package_name
from nvs_jax.evaluation.field.found_cameras import VideoCameras, camera_lines, compare_cameras
from nvs_jax.evaluation.field.kept_frames import TRUE, KeptVideo, all_pictures, plain
from nvs_jax.evaluation.field.published import published_lines
from nvs_jax.evaluation.field.samples_report import Line, lpips_of, samples_report
from nvs_jax.evaluation.field.samples_unposed import with_video_path
from nvs_jax.media.splits import WITHOUT_TRUTH
from nvs_jax.saying import say, tell
from nvs_jax.settings.benchmark import BenchmarkJob

PICTURES = "pictures"


def write_report(bench: Bench, out: Path) -> None:
    """report.md of all scenes, if all are measured, by whichever processes.

    Raises:
        InputError: files of poses or weights that cannot be read.
    """
    left = bench.unmeasured()
    if left:
        tell(f"{len(left)} of {len(bench.scenes)} scenes are not measured yet; the last process writes report.md")
        return
    lines_of = {
        variant: [line for name in bench.scenes for line in bench.lines(name, variant)] for variant in bench.variants
    }
    sections = [_cameras(bench, lines_of), _distances(bench, lines_of), published_lines(bench.job.split)]
    pictures = [Path(PICTURES) / f"{plain(name)}.png" for name in bench.scenes]
    protocol = _protocol(bench) + _of_lpips(bench, lpips_of(lines_of))
    text = samples_report(lines_of, protocol, [path for path in pictures if (out / path).is_file()], sections)
    with atomic_path(out / "report.md") as path:
        path.write_text(text, encoding="utf-8")
    tell(text)
    tell(str(out / "report.md"))


def _protocol(bench: Bench) -> str:
    job, lattice = bench.job, bench.pipeline.model.lattice
    frames = job.settings.path.frames or lattice.frames
    settings = job.settings
    size = "the given pictures' own shape" if settings.picture.size is None else "{}x{}".format(*settings.picture.size)
    side = shorter_side(job)
    size += "" if side is None else f", the shorter side {side}"
    part = "" if part_of(job) == "all" else ", compared in the square in the middle"
    part += "" if job.compared_side is None else f", resampled to {job.compared_side}"
    given = "a photo or a video given" if job.split in WITHOUT_TRUTH else f"{job.inputs} given"
    return (
        f"Layout {job.split}, {given}, videos of {frames} frames at {size} ({settings.picture.fit}){part}, "
        f"{settings.guidance.method}, {count_steps(settings)} steps. Weights {bench.weights}. {_geometry(job)}"
    )


def _geometry(job: BenchmarkJob) -> str:
    """Where depth and the paths of videos come from."""
    words = [
        f"Depth is that of files, read as {job.depth_kind}, or estimated by {job.depth_weights} where there are none."
    ]
    if job.distance is not None and job.split not in WITHOUT_TRUTH:
        words.append(f"What is in the middle of the given picture is taken to be {job.distance:g} away.")
    path = job.settings.path
    if job.split in WITHOUT_TRUTH and path.kind in ("orbit", "ellipse"):
        axes = ["{:g} and {:g}".format(*each.radius) for each in (path, with_video_path(job.settings).path)]
        words.append(
            f"Photos have an {path.kind} of half axes {axes[0]} to either side, videos one of {axes[1]}, "
            f"{path.step_degrees:g} degrees a frame."
        )
    elif job.split in WITHOUT_TRUTH:
        words.append(f"The path is a {path.kind}.")
    return " ".join(words)


def _of_lpips(bench: Bench, measured_with: str | None) -> str:
    if bench.job.split in WITHOUT_TRUTH:
        return ""
    if measured_with is None:
        return " LPIPS is not measured: --lpips names no weights."
    return f" LPIPS with {measured_with}."


def _videos(lines: Sequence[Line]) -> list[tuple[str, int, int]]:
    """Scene, video, and how many the scene has, of every line."""
    return [(line["scene"], line["video"], line["videos"]) for line in lines]


def _cameras(bench: Bench, lines_of: Mapping[str, Sequence[Line]]) -> list[str]:
    job = bench.job
    if not job.cameras and job.camera_files is None:
        return []
    found: dict[str, dict[str, list[VideoCameras]]] = {}
    for variant, lines in lines_of.items():
        found[variant] = {}
        for scene, video, videos in _videos(lines):
            kept = bench.kept(variant, scene, video)
            file = kept.found if job.camera_files is None else _file(job.camera_files, variant, scene, video, videos)
            if file is None or not file.is_file():
                continue
            found[variant].setdefault(scene, []).append(compare_cameras(file, kept.asked))
    for variant, scenes in found.items():
        missing = len(lines_of[variant]) - sum(map(len, scenes.values()))
        if missing:
            say(f"{missing} of {len(lines_of[variant])} videos of {variant} have no file of poses and are left out")
    return camera_lines(found, "COLMAP" if job.camera_files is None else "another program")


def _file(folder: Path, variant: str, scene: str, video: int, videos: int) -> Path | None:
    """Poses made elsewhere: ROW/SCENE/VIDEO.txt; of a scene's only video also ROW/SCENE.txt, SCENE.txt if guided."""
    names = [f"{plain(variant)}/{plain(scene)}/{video}.txt"]
    if videos == 1:
        names.append(f"{plain(variant)}/{plain(scene)}.txt")
        names += [f"{plain(scene)}.txt"] if variant == "guided" else []
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _distances(bench: Bench, lines_of: Mapping[str, Sequence[Line]]) -> list[str]:
    job = bench.job
    if job.fid is None:
        return []
    videos = _videos(next(iter(lines_of.values())))
    true = [bench.kept(TRUE, scene, video) for scene, video, _ in videos if bench.holds_frames(TRUE, scene, video)]
    found = {}
    for variant in bench.variants:
        made: list[KeptVideo] = [bench.kept(variant, scene, video) for scene, video, _ in videos]
        say(f"FID and KID of {variant}")
        found[variant] = distances(all_pictures(made), all_pictures(true), job.fid, few=job.fid_of_few)
    return distance_lines(found, package_name())
