"""A short job for every file in `conf/model`: a new one gets its tests for nothing."""

from pathlib import Path

from seedbed import config
from seedbed.assembly import assemble
from seedbed.errors import ConfigError
from seedbed.job import Job
from tests.conftest import MakeJob
from tests.data.tiny import write_folder

NAMES = sorted(path.stem for path in (config.folder() / "model").glob("*.yaml"))
# Smallest first: a model is trained on the first data that it takes.
DATA = (
    ("data=breast_cancer", "data.batch_size=101"),
    ("data=digits", "data.batch_size=101"),
    ("data=image_folder", "data.image_size=16"),
    ("data=image_folder", "data.image_size=63"),
    ("data=clicks", "data.batch_size=101", "data.num_rows=700"),
)
PHOTOS = ("data.val_fraction=0.25", "data.batch_size=11")
NARROW = {"resnet9": ("model.width=4",)}
SHORT = ("trainer.max_epochs=2", "trainer.progress_bar=false", "track.system_metrics=false")


def job_of(make_job: MakeJob, name: str, root: Path, *keys: str) -> Job:
    """A job that trains the model for two epochs, with dropout where it has any.

    Args:
        make_job: composes it.
        name: of the model's file.
        root: folder for the photographs.
        keys: what else it is to be.
    """
    photos = root / "photos"
    if not photos.exists():
        write_folder(photos)
    where = (f"data.root={photos}", f"data.cache_dir={root / 'cache'}", "data.num_workers=0", *PHOTOS)
    for data in DATA:
        own = where if "image_folder" in data[0] else ()
        job = make_job(f"model={name}", *NARROW.get(name, ()), *data, *own, *SHORT, *keys)
        if "dropout" in job.config["model"]:
            job.config["model"]["dropout"] = 0.3
        try:
            assemble(job.config)
        except ConfigError:
            continue
        return job
    raise AssertionError(f"{name} takes none of {DATA}")
