"""A Slurm of one node with two counted GPUs, for tests: real daemons, no systemd, no cgroups, no database.

Everything it has lies in one folder: configuration, keys, sockets, state and logs. It listens on free
ports of 127.0.0.1, and only commands that are given its SLURM_CONF talk to it, so a Slurm that this
machine may have besides neither sees it nor is seen by it. It needs root (slurmd starts jobs in their
owner's name) and Debian's packages slurmctld, slurmd, slurm-client and munge.
"""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol")
MODELS = ("small", "large")  # of the two GPUs, numbers 0 and 1
CPUS = 8  # counted, as the GPUs are: a job waits for a GPU, never for a core of a small machine
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}

SLURM_CONF = """\
ClusterName=ecot
SlurmctldHost={node}(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmdPort={slurmd_port}
{listen}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
MpiDefault=none
SwitchType=switch/none
# Neither cgroups nor systemd: processes are found by their ancestors.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
# No database: slurmctld itself remembers every job of the tests.
AccountingStorageType=accounting_storage/none
MinJobAge=7200
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
DefMemPerCPU=256
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=5
MailProg=/bin/true
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={node} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres={gpus} State=UNKNOWN
PartitionName=main Nodes={node} Default=YES MaxTime=INFINITE State=UP
"""


@dataclass(frozen=True)
class Job:
    """What Slurm has on record of a job."""

    fields: dict[str, str]

    @property
    def number(self) -> int:
        return int(self.fields["JobId"])

    @property
    def name(self) -> str:
        """What the executor plugin calls it: rule_NAME_wildcards_..., or a group's name."""
        return self.fields.get("Comment", "")

    @property
    def state(self) -> str:
        return self.fields["JobState"]

    @property
    def memory(self) -> str:
        return re.search(r"mem=(\w+)", self.fields["TRES"])[1]

    @property
    def time_limit(self) -> str:
        return self.fields["TimeLimit"]

    @property
    def gpus(self) -> str:
        """The GPUs that it asked for, as in gpu:1 or gpu:large:1; empty if none."""
        asked = self.fields.get("TresPerJob") or self.fields.get("TresPerNode") or ""
        return re.sub(r"^gres[:/]", "", asked)

    @property
    def devices(self) -> set[str]:
        """Indices of the GPUs that it holds; Slurm only tells while the job runs."""
        return set(re.findall(r"\d+", " ".join(re.findall(r"IDX:([\d,-]+)", self.fields.get("GRES", "")))))

    @property
    def span(self) -> tuple[str, str]:
        """Start and end, as text that sorts by time."""
        return self.fields["StartTime"], self.fields["EndTime"]

    def __str__(self) -> str:
        start, end = (moment[11:] for moment in self.span)
        return (
            f"{self.number:4d} {self.state:9s} {start:8s} {end:8s} limit {self.time_limit}"
            f" cpus {self.fields['NumCPUs']} mem {self.memory} {self.gpus or 'no gpu':11s} {self.name}"
        )


class Slurm:
    """The daemons; between `start` and `stop`, `environment` is what a command needs to talk to them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SLURM_")},
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": f"{folder}/bin:{os.environ['PATH']}:/usr/sbin",  # where the daemons are
        }
        self._daemons: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start the daemons and wait until the node takes jobs; RuntimeError with their logs if it does not."""
        self._configure()
        try:
            munge = self.folder / "munge"
            self._run(
                "munged", "--foreground", "--force", f"--key-file={munge}/key", f"--socket={munge}/socket",
                f"--pid-file={munge}/pid", f"--seed-file={munge}/seed", f"--log-file={munge}/munged.log",
            )  # fmt: skip
            self.wait(lambda: (munge / "socket").exists(), "munged")
            self._run("slurmctld", "-D")
            self.wait(lambda: "UP" in self.ask("scontrol", "ping"), "slurmctld")
            self._run("slurmd", "-D", "-N", _node())
            self.wait(lambda: self.ask("sinfo", "--noheader", "--format=%T").strip() == "idle", "slurmd")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Cancel all jobs and end the daemons, and only those that `start` began."""
        try:
            if len(self._daemons) == 3:
                self.ask("scancel", *(str(job.number) for job in self.jobs() if job.state not in ENDED))
                self.wait(lambda: not self.queue(), "the jobs' end")
        finally:
            for daemon in reversed(self._daemons):
                daemon.terminate()
                try:
                    daemon.wait(20)
                except subprocess.TimeoutExpired:
                    daemon.kill()
                    daemon.wait()
            self._daemons.clear()

    def ask(self, *command: str) -> str:
        """What one of Slurm's commands prints."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)
        return done.stdout

    def jobs(self) -> list[Job]:
        """All jobs since `start`, by number."""
        lines = self.ask("scontrol", "--oneliner", "--details", "show", "job").splitlines()
        jobs = [Job(dict(re.findall(r"(\S+?)=(\S*)", line))) for line in lines if line.startswith("JobId=")]
        return sorted(jobs, key=lambda job: job.number)

    def queue(self) -> list[str]:
        """What waits, runs or is being ended, as squeue shows it."""
        return self.ask("squeue", "--noheader", "--format=%i %T %M %b %k").splitlines()

    def wait(self, ready: Callable[[], bool], what: str) -> None:
        """Wait a minute for something; RuntimeError with queue and logs if it does not happen."""
        end = time.monotonic() + 60
        while not ready():
            dead = [daemon.args[0] for daemon in self._daemons if daemon.poll() is not None]
            if dead or time.monotonic() > end:
                logs = "\n".join(f"--- {path}\n{path.read_text()[-3000:]}" for path in self._logs())
                raise RuntimeError(f"waited in vain for {what}; ended: {dead}\n{self.queue()}\n{logs}")
            time.sleep(0.2)

    def _configure(self) -> None:
        for name in ("bin", "munge", "state", "spool"):
            (self.folder / name).mkdir(mode=0o755, parents=True)
        key = self.folder / "munge" / "key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))
        memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) // 1024
        # Without these words the daemons listen on all interfaces; with them, on what the host's name
        # resolves to, which may be nothing.
        local = _resolves_to_loopback()
        ctld_port, slurmd_port = _free_ports(2)
        (self.folder / "slurm.conf").write_text(
            SLURM_CONF.format(
                node=_node(), ctld_port=ctld_port, slurmd_port=slurmd_port, folder=self.folder, cpus=CPUS,
                gpus=",".join(f"gpu:{model}:1" for model in MODELS), memory=max(memory, 16000), # counted too
                listen="CommunicationParameters=NoCtldInAddrAny,NoInAddrAny" if local else "",
            )
        )  # fmt: skip
        # Slurm 22.05 counts no GPU without a device file; nothing ever opens it.
        gpus = ["AutoDetect=off"]
        for number, model in enumerate(MODELS):
            (self.folder / f"gpu{number}").symlink_to("/dev/null")
            gpus.append(f"Name=gpu Type={model} File={self.folder}/gpu{number} Flags=nvidia_gpu_env")
        (self.folder / "gres.conf").write_text("\n".join(gpus) + "\n")
        # slurmd loads a cgroup plugin even where none is used; "disabled" came with 23.02, and before
        # that only cgroup/v1 loads without systemd.
        version = tuple(map(int, re.findall(r"\d+", subprocess.check_output(["slurmd", "-V"], text=True))[:2]))
        plugin = "disabled" if version >= (23, 2) else "cgroup/v1"
        (self.folder / "cgroup.conf").write_text(f"CgroupPlugin={plugin}\n")

        # Snakemake's plugin starts srun without any variable of Slurm's, SLURM_CONF included.
        wrapper = self.folder / "bin" / "srun"
        wrapper.write_text(f'#!/bin/sh\nSLURM_CONF={self.folder}/slurm.conf exec {shutil.which("srun")} "$@"\n')
        wrapper.chmod(0o755)

    def _run(self, *command: str) -> None:
        with (self.folder / f"{command[0]}.out").open("wb") as output:
            # In a session of their own, the daemons are spared a Ctrl-C at the terminal and stopped by `stop`.
            daemon = subprocess.Popen(
                command, env=self.environment, stdout=output, stderr=output, start_new_session=True
            )
        self._daemons.append(daemon)

    def _logs(self) -> list[Path]:
        return sorted([*self.folder.glob("*.out"), *self.folder.rglob("*.log")])


def missing() -> str:
    """Why no Slurm can be started here; empty if it can."""
    if os.geteuid() != 0:
        return "only root can start a Slurm"
    absent = [name for name in PROGRAMS if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None]
    if absent:
        return f"no {', '.join(absent)}: apt-get install slurmctld slurmd slurm-client munge"
    return ""


def _node() -> str:
    return socket.gethostname().split(".")[0]


def _resolves_to_loopback() -> bool:
    try:
        return socket.gethostbyname(socket.gethostname()).startswith("127.")
    except OSError:
        return False


def _free_ports(n: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
