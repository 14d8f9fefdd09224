"""A SLURM of one node on this machine, for tests: installed where it is missing, started in a folder of its own, and stopped.

    python tests/slurm_node.py    install what is missing; otherwise say why it cannot be (exit code 1)

Needs root and Debian's packages. Nothing is written below /etc but by the packages themselves, which start nothing.
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PACKAGES = {"munge": "munged", "slurmctld": "slurmctld", "slurmd": "slurmd", "slurm-client": "squeue"}

# No accounting: that is the harder case for whoever polls. Memory is watched every second, and a job that takes more than it asked
# for is killed, as on a cluster.
CONFIGURATION = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/controller
SlurmdSpoolDir={folder}/node
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
MinJobAge=600
KillWait=2
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory}
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing_packages():
    """The packages whose programs are not on this machine."""
    return [package for package, program in PACKAGES.items() if not shutil.which(program)]


def why_not():
    """Why a node cannot be started on this machine even if packages are installed; None if it can."""
    if os.geteuid() != 0:
        return "a SLURM can be started by root only"
    if missing_packages() and not (Path("/etc/debian_version").exists() and shutil.which("apt-get")):
        return f"{', '.join(missing_packages())} missing, and this is no Debian to install them on"
    return None


@contextlib.contextmanager
def no_services():
    """While packages are installed, keep them from starting their services: the node starts its own, with its own settings."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


def install():
    """Install the packages that are missing; gives what went wrong, or None."""
    packages = missing_packages()
    if not packages:
        return None
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    commands = (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages])
    with no_services():
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True, env=environment)
            if done.returncode:
                return f"`{' '.join(command)}` failed: {done.stderr.strip().splitlines()[-1:]}"
    return None


def free_ports(number):
    """Ports that nothing listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class SlurmNode:
    """A running SLURM of one node; a context manager. settings: the variables that a client needs besides its own."""

    def __init__(self):
        # a short path: the socket's may have 107 characters
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-"))
        self.settings = {
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
        }
        self.daemons = []

    def __enter__(self):
        try:
            self._configure()
            files = {"socket": "munge.socket", "key-file": "munge.key", "seed-file": "seed"}
            files |= {"pid-file": "munged.pid", "log-file": "munged.log"}
            self._start("munged", "--foreground", *(f"--{option}={self.folder / file}" for option, file in files.items()))
            self._wait_for("munge", "-n", "-S", f"{self.folder}/munge.socket")
            self._start("slurmctld", "-D")
            self._wait_for("scontrol", "ping")
            self._start("slurmd", "-D")
            self._wait_for("srun", "--immediate=2", "true")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # a daemon that hangs must not keep the others running
        with contextlib.suppress(subprocess.SubprocessError, OSError):
            self.command("scancel", "--user=root")
            patience = time.monotonic() + 10
            while self.command("squeue", "--noheader") and time.monotonic() < patience:
                time.sleep(0.1)
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(daemon.pid, signal.SIGKILL)
                daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, *words):
        """Run a client of SLURM; its output as text. Raises CalledProcessError, or TimeoutExpired after 15 seconds."""
        done = subprocess.run(words, env=os.environ | self.settings, capture_output=True, text=True, timeout=15, check=True)
        return done.stdout

    def jobs(self):
        """All jobs of the last minutes, finished ones too: a list of (id, state, comment), in order of their ids."""
        lines = self.command("squeue", "--states=all", "--noheader", "--format=%i|%T|%k").splitlines()
        return sorted((int(number), state, comment) for number, state, comment in (line.split("|") for line in lines))

    def _configure(self):
        host = socket.gethostname().split(".")[0]
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 * 9 // 10
        controller_port, node_port = free_ports(2)
        text = CONFIGURATION.format(
            folder=self.folder,
            host=host,
            cpus=os.cpu_count(),
            memory=memory,
            controller_port=controller_port,
            node_port=node_port,
        )
        (self.folder / "slurm.conf").write_text(text)
        # where no cgroup file system is mounted, slurmd cannot find out which kind it is, and ends
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        key = self.folder / "munge.key"
        key.touch(mode=0o400)
        key.write_bytes(secrets.token_bytes(1024))
        for name in ("controller", "node", "bin"):
            (self.folder / name).mkdir()
        # munge lets no one in whom it cannot reach
        self.folder.chmod(0o755)
        # the plugin takes SLURM_CONF away from the srun in its jobs, which would look into /etc then
        srun = self.folder / "bin/srun"
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={self.folder}/slurm.conf exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)

    def _start(self, *words):
        # the kernel ends it when this process dies, however that happens
        command = ["setpriv", "--pdeathsig", "KILL", "--", *words]
        with open(self.folder / f"{words[0]}.out", "wb") as output:
            daemon = subprocess.Popen(
                command, env=os.environ | self.settings, stdout=output, stderr=output, start_new_session=True
            )
        self.daemons.append(daemon)

    def _wait_for(self, *words):
        """Wait until a client answers; an AssertionError with the messages of the daemons if it does not within 30 seconds."""
        patience = time.monotonic() + 30
        while True:
            try:
                return self.command(*words)
            except subprocess.SubprocessError:
                if time.monotonic() > patience or any(daemon.poll() is not None for daemon in self.daemons):
                    said = [f"{path.name}:\n{path.read_text()}" for path in self.folder.glob("*.out")]
                    raise AssertionError("\n".join([f"SLURM did not start: `{' '.join(words)}`", *said])) from None
                time.sleep(0.1)


def main():
    problem = why_not() or install()
    if problem:
        sys.exit(problem)


if __name__ == "__main__":
    main()
