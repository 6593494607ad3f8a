"""A real SLURM on this host: its daemons are children of the test process, without systemd or root."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

TEMPLATE = Path(__file__).with_name("slurm.conf.in")
PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "srun", "squeue", "scontrol", "scancel")
SEARCHED = f"{os.environ['PATH']}:/usr/sbin:/sbin"
NUM_NODES, NUM_CPUS, NUM_GPUS, MEMORY_MIB = 3, 4, 2, 8000
UP_SECONDS = 60
# Daemons end with the test process, however it ends.
TIED = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()
FIRST_PORT, NUM_PORTS = 22000, 20


def missing() -> list[str]:
    """Programs that are not here."""
    return [name for name in PROGRAMS if shutil.which(name, path=SEARCHED) is None]


class Cluster:
    """Daemons with their state in one folder.

    Args:
        folder: new; its path short enough for a socket.
        place: which of the clusters that run on this host at once, from 0.
    """

    def __init__(self, folder: Path, place: int) -> None:
        self.folder, self.ports = folder, _free(place)
        self.conf = folder / "slurm.conf"
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def nodes(self) -> list[str]:
        """Names that resolve, because the first one of a job is where its machines meet."""
        return [f"127.0.0.{number}" for number in range(1, NUM_NODES + 1)]

    def start(self) -> None:
        self._write()
        munge = self.folder / "munge"
        files = {
            "key-file": "key",
            "socket": "munge.sock",
            "pid-file": "pid",
            "log-file": "log",
            "seed-file": "seed",
        }
        # --force: a socket in a folder that is not open to all is refused otherwise.
        options = [f"--{name}={munge / file}" for name, file in files.items()]
        self._run("munged", "--foreground", "--force", *options)
        self.start_controller()
        for node in self.nodes:
            self.start_node(node)
        self.wait_idle()

    def start_controller(self) -> None:
        self._run("slurmctld", "-D")

    def start_node(self, node: str) -> None:
        self._run("slurmd", "-D", "-N", node, name=f"slurmd {node}")

    def end(self, name: str, number: int = signal.SIGTERM) -> None:
        """Ends one daemon."""
        daemon = self.daemons.pop(name)
        daemon.send_signal(number)
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def stop(self) -> None:
        with suppress(OSError, subprocess.SubprocessError):
            self.ask("scancel", "--signal=KILL", f"--user={os.getuid()}", "--state=RUNNING")
            self.ask("scancel", f"--user={os.getuid()}")
        for name in reversed(self.daemons.copy()):
            self.end(name)

    def ask(self, *command: str) -> str:
        """What a program of SLURM's says."""
        done = subprocess.run(
            command,
            env=os.environ | {"SLURM_CONF": str(self.conf)},
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        return done.stdout

    def wait_idle(self) -> None:
        deadline = time.monotonic() + UP_SECONDS
        while time.monotonic() < deadline:
            with suppress(subprocess.SubprocessError):
                idle = self.ask("sinfo", "--noheader", "--partition=main", "--states=idle", "--format=%D")
                if idle.strip() == str(NUM_NODES):
                    return
            time.sleep(0.1)
        logs = [path.read_text(errors="replace")[-2000:] for path in self.folder.glob("*.log")]
        raise AssertionError("the cluster did not come up\n" + "\n".join(logs))

    def _run(self, program: str, *options: str, name: str = "") -> None:
        found = shutil.which(program, path=SEARCHED)
        assert found is not None
        with (self.folder / f"{program}.out").open("ab") as out:
            self.daemons[name or program] = subprocess.Popen(
                [*TIED, found, *options],
                env=os.environ | {"SLURM_CONF": str(self.conf)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        if program == "munged":
            _until((self.folder / "munge" / "munge.sock").exists)

    def _write(self) -> None:
        for name in ("state", "munge", "gpu", *(f"spool/{node}" for node in self.nodes)):
            (self.folder / name).mkdir(parents=True, mode=0o700)
        key = self.folder / "munge" / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        for number in range(NUM_GPUS):  # slurmd wants a device file; the number becomes the GPU's
            (self.folder / "gpu" / f"nvidia{number}").symlink_to("/dev/null")
        host = socket.gethostname().partition(".")[0]
        size = f"CPUs={NUM_CPUS} RealMemory={MEMORY_MIB} Gres=gpu:{NUM_GPUS} State=UNKNOWN"
        lines = [
            f"NodeName={node} NodeHostname={host} NodeAddr={node} Port={port} {size}"
            for node, port in zip(self.nodes, self.ports[1:], strict=False)
        ]
        told = {
            "DIR": str(self.folder),
            "HOST": host,
            "USER": getpass.getuser(),
            "CTLD_PORT": str(self.ports[0]),
            "NODES": "\n".join(lines),
        }
        text = TEMPLATE.read_text()
        for name, value in told.items():
            text = text.replace(f"@{name}@", value)
        self.conf.write_text(text)
        gpus = f"{self.folder / 'gpu'}/nvidia[0-{NUM_GPUS - 1}]"
        (self.folder / "gres.conf").write_text(
            "".join(f"NodeName={node} Name=gpu File={gpus} Flags=nvidia_gpu_env\n" for node in self.nodes)
        )


def _free(place: int) -> Sequence[int]:
    """A controller's port and one a node that nobody listens on."""
    ports = []
    for port in range(FIRST_PORT + place * NUM_PORTS, FIRST_PORT + (place + 1) * NUM_PORTS):
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            ports.append(port)
    assert len(ports) > NUM_NODES, "no free ports"
    return ports


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + UP_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def running(folder: Path, place: int) -> Iterator[Cluster]:
    """A cluster, for as long as it is entered."""
    cluster = Cluster(folder, place)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
