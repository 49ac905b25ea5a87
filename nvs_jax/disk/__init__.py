"""Files and folders that appear whole, replace only what is our own, and survive being killed. No JAX here."""

from nvs_jax.disk.atomic import atomic_folder, atomic_path
from nvs_jax.disk.copies import at_hand, job_at_hand
from nvs_jax.disk.destination import CHECKPOINT, RESULT, Kind, check_free, resolved
from nvs_jax.disk.locking import BusyError, one_at_a_time
from nvs_jax.disk.manifest import Manifest, read_manifest
from nvs_jax.disk.mirror import mirrored
from nvs_jax.disk.publishing import PUBLISHED, publish, published_folder
from nvs_jax.disk.targets import recover, work_on
from nvs_jax.disk.work import Work, hidden_folder

__all__ = [
    "CHECKPOINT",
    "PUBLISHED",
    "RESULT",
    "BusyError",
    "Kind",
    "Manifest",
    "Work",
    "at_hand",
    "atomic_folder",
    "atomic_path",
    "check_free",
    "hidden_folder",
    "job_at_hand",
    "mirrored",
    "one_at_a_time",
    "publish",
    "published_folder",
    "read_manifest",
    "recover",
    "resolved",
    "work_on",
]
