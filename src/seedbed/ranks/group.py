"""Starts the processes that train one model together, and hears how they ended.

torch's elastic launcher starts each from the saved job, never from the user's command: under a
multirun, that would start the whole sweep once more. The process that opened the record stays out
of the training; it hands the run's id down and closes the record, whatever happens to a rank.
"""

import json
import logging
import socket
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from torch._C._distributed_c10d import TCPStore
from torch.distributed import DistError, DistStoreError
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from seedbed.errors import ConfigError, Stopped, TrainingError
from seedbed.growing import Outcome, stack_of
from seedbed.job import Job
from seedbed.ranks.ending import Ending, root_cause
from seedbed.ranks.passing import passing_on
from seedbed.stopping import Stopping
from seedbed.track.record import Record

# A rank's program, and the folder where it finds the job and leaves how it went.
PROGRAM, FOLDER, JOB, OUTCOME = "seedbed.ranks.rank", "ranks", "job.json", "outcome.json"
# Time that ranks have to finish their step and save, once they were told to stop.
SHUTDOWN_SECONDS = 60
LOOPBACK = "127.0.0.1:0"
# How long a machine that joins waits for an answer.
PATIENCE = timedelta(minutes=1)


def together(job: Job, record: Record, stopping: Stopping, *, resumed: bool) -> Outcome:
    """Runs the job in `trainer.devices` processes here and on each other machine that joins.

    Args:
        job: what runs.
        record: its record, open.
        stopping: hears the signals of this process; the launcher passes them on to the ranks.
        resumed: whether to go on from the run's checkpoint.

    Raises:
        SeedbedError: what the rank raised that failed first, with its trace.
        Stopped: where a signal ended the run.
    """
    folder, config = record.folder / FOLDER, job.config["trainer"]
    folder.mkdir(exist_ok=True)
    (folder / OUTCOME).unlink(missing_ok=True)
    job.save(folder / JOB)
    store = _hosted(config["rendezvous"] or LOOPBACK)
    arguments = [PROGRAM, str(folder), record.run_id, "resumed" if resumed else "new"]
    store.set("group", json.dumps({"trainer": config, "arguments": arguments}))
    try:
        _launch(config, store, 0, arguments)
    finally:
        stopping.claim()  # the launcher has put handlers of its own in place
    return Outcome(**json.loads((folder / OUTCOME).read_text()))


def join(rendezvous: str) -> None:
    """Lends this machine's devices to a run that waits at `HOST:PORT`, until it ends.

    Raises:
        TrainingError: where nobody waits there, or the run failed.
        Stopped: where a signal ended it.
    """
    host, port = address(rendezvous)
    try:
        store = TCPStore(host, port, None, False, PATIENCE)
        group = json.loads(store.get("group"))
    except DistError as error:
        raise TrainingError(
            f"seedbed join {rendezvous}",
            expected="a run that waits there",
            got=f"no answer within {PATIENCE.total_seconds():.0f} s",
            do="Start `seedbed train trainer=ddp trainer.num_nodes=... trainer.rendezvous=...` there first.",
        ) from error
    folder = Path(group["arguments"][1])
    if not folder.is_dir():
        raise TrainingError(
            str(folder),
            expected="the run's folder, which all machines must see",
            got="none",
            do="Set track.root to a folder that the machines share.",
        )
    _launch(group["trainer"], store, store.add("nodes", 1), group["arguments"])


def address(rendezvous: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`."""
    host, colon, port = rendezvous.rpartition(":")
    if not host or not colon or not port.isdecimal():
        raise ConfigError(
            "trainer.rendezvous",
            expected="HOST:PORT of the machine that starts the run",
            got=repr(rendezvous),
            do="For example trainer.rendezvous=node1:29400.",
        )
    return host, int(port)


def _hosted(rendezvous: str) -> TCPStore:
    """The store where the ranks meet, bound to this address alone."""
    host, port = address(rendezvous)
    try:
        listening = socket.create_server((host, port), backlog=1024)
    except OSError as error:
        raise ConfigError(
            "trainer.rendezvous",
            expected="a free port of this machine",
            got=f"{rendezvous}: {error.strerror}",
            do="Choose another one, and a name by which the other machines reach this one.",
        ) from error
    port = listening.getsockname()[1]
    return TCPStore(
        host,
        port,
        None,
        True,
        wait_for_workers=False,
        multi_tenant=True,  # the launcher opens it once more
        master_listen_fd=listening.detach(),
    )


def _launch(config: Mapping[str, Any], store: TCPStore, node: int, arguments: list[str]) -> None:
    """Runs this machine's ranks to their end."""
    _hush()
    waiting = config["num_nodes"] - 1
    if node == 0 and waiting:
        here = f"seedbed join {config['rendezvous']}"
        click.echo(f"Waiting for {waiting} more machine(s); run on each: {here}", err=True)
    folder, run_id = arguments[1:3]
    launch = LaunchConfig(
        min_nodes=config["num_nodes"],
        max_nodes=config["num_nodes"],
        nproc_per_node=config["devices"],
        run_id=run_id,
        rdzv_backend="static",
        rdzv_endpoint=f"{store.host}:{store.port}",
        rdzv_configs={"rank": node, "timeout": int(config["timeout_minutes"] * 60)},
        max_restarts=0,
        logs_specs=DefaultLogsSpecs(log_dir=str(Path(folder) / f"node_{node}")),
        signals_to_handle="SIGTERM,SIGINT",
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
    try:
        with passing_on(arguments[0]):
            elastic_launch(launch, sys.executable)("-m", *arguments)
    except SignalException as signal:
        raise Stopped(int(signal.sigval)) from None
    except ChildFailedError as failed:
        raise root_cause(_endings(failed, Path(folder).parent), config) from None
    except DistStoreError as error:
        raise TrainingError(
            f"trainer.num_nodes={config['num_nodes']}",
            expected=f"all machines within trainer.timeout_minutes={config['timeout_minutes']}",
            got=str(error).partition("\n")[0],
            do=f"Run `seedbed join {config['rendezvous']}` on each of the others.",
        ) from error


def _hush() -> None:
    """Keeps the launcher's own words from the terminal: what it knows is told here."""
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("torch.distributed.elastic"):  # each has a level of its own
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _endings(failed: ChildFailedError, folder: Path) -> dict[int, Ending]:
    return {rank: Ending.of(failure, stack_of(folder, rank)) for rank, failure in failed.failures.items()}
