"""The folder where the server keeps artifacts, tried before the first run ends and has some to bring."""

from pathlib import Path
from tempfile import TemporaryFile

from seedbed.errors import ConfigError


def kept(folder: Path) -> Path:
    """The folder, made where it is missing, and written to.

    Raises:
        ConfigError: where this account may not.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            return folder.absolute()
    except OSError as error:
        raise ConfigError(
            f"--artifacts {folder}",
            expected="a folder that this account may make and write to",
            got=str(error.strerror),
            do=f"Make it once, `sudo install -d -o $USER {folder}`, or name another.",
        ) from error
