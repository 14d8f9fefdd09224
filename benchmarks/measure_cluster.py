"""What a study costs in jobs: wall time of a run, and memory and seconds of every rule, here or through a cluster's scheduler.

    python benchmarks/measure_cluster.py                             on the cores of this machine
    python benchmarks/measure_cluster.py --profile profiles/slurm    through SLURM
    python benchmarks/measure_cluster.py --outputs 1000000           a study of a million outputs in place of the others
    .venv/cluster/bin/python benchmarks/measure_cluster.py --slurm   through a SLURM that is started for it, as tests do, by root

Runs the default study whole, and a simulated tree of the size of BIG-bench (10,000 files) whole and in shards, each in a copy of
the repository, the tree without Monte Carlo unless --draws says so. With --outputs, the study is of so many simulated outputs:
four choices, ten models, four tasks, eight metrics, 500 resamples and, unless --draws says otherwise, 1,000 draws. Every run is
printed with a digest of its results: it is the same for any number of shards and cores, here and through SLURM. Through a
scheduler, each study is also run on the cores of this machine, in one shard; digests that differ end the command with an error.
Memory and seconds are those of the processes on this machine, looked at ten times a second: of the scripts alone, and of whole
jobs, which on a cluster hold Snakemake itself twice. Jobs on other nodes are not seen. Linux only.
"""

import argparse
import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(Path(__file__).resolve().parent))

sys.path.insert(0, str(ROOT / "tests"))

import measure_outputs
import simulate_bigbench

import slurm_node

INTERVAL = 0.1


class Watch(threading.Thread):
    """Looks at the processes of the jobs in a folder until it is stopped.

    scripts: {process id: (rule, first seen, last seen, peak of memory in MB, processor seconds)}.
    jobs: {job id of the scheduler: the same of all its processes}; empty without a scheduler.
    """

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder, self.scripts, self.jobs = str(folder), {}, {}
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.wait(INTERVAL):
            self.look()

    def stop(self):
        self.stopped.set()
        self.join()

    def look(self):
        now, of_job, rule_of_job = time.monotonic(), {}, {}
        for process in psutil.process_iter():
            try:
                if process.cwd() != self.folder:
                    continue
                job = process.environ().get("SLURM_JOB_ID")
                resident = process.memory_info().rss / 1e6
                words, peak, used = process.cmdline(), max_resident(process.pid), sum(process.cpu_times()[:2])
            except (psutil.Error, OSError):
                continue
            # Snakemake gives the script's copy a name that ends in the script's own
            script = re.search(r"/\.snakemake/scripts/\w+\.(\w+)\.py$", words[1] if len(words) > 1 else "")
            if script:
                _, first, *_ = self.scripts.get(process.pid, (None, now))
                self.scripts[process.pid] = (script[1], first, now, peak, used)
            if job:
                memory, seconds = of_job.get(job, (0, 0))
                of_job[job] = (memory + resident, seconds + used)
                rule_of_job |= {job: script[1]} if script else {}
        for job, (memory, seconds) in of_job.items():
            rule, first, _, peak, before = self.jobs.get(job, (None, now, None, 0, 0))
            self.jobs[job] = (rule_of_job.get(job, rule), first, now, max(peak, memory), max(before, seconds))


def max_resident(pid):
    """The most memory that a process has held, in MB; 0 for one that has ended and is not yet forgotten."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 / 1e6 if found else 0


def by_rule(seen):
    """What a watch has seen, by rule: {rule: (jobs, most seconds, sum of seconds, processor seconds, most memory)}."""
    rules = {}
    for rule, first, last, memory, used in seen.values():
        jobs, longest, total, seconds, most = rules.get(rule, (0, 0, 0, 0, 0))
        rules[rule] = (jobs + 1, max(longest, last - first), total + last - first, seconds + used, max(most, memory))
    return rules


def digest(folder):
    """One digest of every file below a folder, by name and content, but of messages and of the tables of single shards."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not {"logs", "shards"} & set(path.parts)]
    digests = [f"{path.relative_to(folder)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()[:16]


def measure(name, study, profile, arguments, shards, scratch):
    """Run a study (dict; None for the default one) in a new folder below `scratch`, print what it took, and return its digest.

    profile: through which it is run; None for the cores of this machine.
    """
    folder = scratch / "study"
    ignored = shutil.ignore_patterns(".git", ".venv", ".snakemake", "results", "__pycache__")
    shutil.copytree(ROOT, folder, ignore=ignored)
    if study:
        (folder / "config/config.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    where = ["--profile", profile] if profile else ["--cores", str(arguments.cores)]
    command = [sys.executable, "-m", "snakemake", *where, "--set-scatter", f"shards={shards}"]
    watch = Watch(folder)
    watch.start()
    start = time.monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    wall = time.monotonic() - start
    watch.stop()
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    steps = re.findall(r"(\d+) of \d+ steps \(100%\) done", done.stdout + done.stderr)[-1]
    found = digest(folder / "results")
    print(f"\n{name}, shards: {shards}, {' '.join(where)}: {steps} jobs, {wall:.0f} s, results {found}")
    print(f"  {'script':20} {'jobs':>4} {'longest s':>9} {'sum s':>7} {'CPU s':>7} {'peak MB':>8}")
    scripts = by_rule(watch.scripts)
    for rule, (jobs, longest, total, seconds, memory) in sorted(scripts.items()):
        print(f"  {rule:20} {jobs:4} {longest:9.1f} {total:7.1f} {seconds:7.1f} {memory:8.0f}")
    print(f"  {'all':20} {len(watch.scripts):4} {'':9} {'':7} {sum(seen[3] for seen in scripts.values()):7.1f}")
    if watch.jobs:
        within = sum(last - first for _, first, last, *_ in watch.jobs.values())
        submitted = {rule for rule, *_ in watch.jobs.values()}
        work = sum(seen[2] for rule, seen in scripts.items() if rule in submitted)
        print(f"  {len(watch.jobs)} jobs through the scheduler: {within:.0f} s in them, {work:.0f} s of that in the scripts")
        for rule, (jobs, longest, _, seconds, memory) in sorted(by_rule(watch.jobs).items(), key=str):
            print(f"  whole job {rule!s:20} {jobs:4} {longest:9.1f} {'':7} {seconds:7.1f} {memory:8.0f}")
    shutil.rmtree(folder)
    return found


def compare(name, study, shards, arguments, scratch):
    """Run a study in each of some numbers of shards, and beside a scheduler here in one; exit where results are not the same."""
    runs = [(arguments.profile, number) for number in shards] + ([(None, 1)] if arguments.profile else [])
    digests = {measure(name, study, profile, arguments, number, scratch) for profile, number in runs}
    if len(digests) > 1:
        sys.exit(f"{name}: {len(runs)} runs have {len(digests)} different results")
    if len(runs) > 1:
        print(f"\n{name}: {len(runs)} runs, the same results")


def main():
    parser = argparse.ArgumentParser(description="Measure what a study costs in jobs.")
    parser.add_argument("--profile", help="run through this profile; without one, on the cores of this machine")
    parser.add_argument("--slurm", action="store_true", help="start a SLURM for it (`make test-cluster` says what that needs)")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="cores of this machine to use without a profile")
    parser.add_argument("--shards", type=int, nargs="+", default=[1, 8], help="numbers of shards of the simulated tree")
    parser.add_argument("--draws", type=int, help="Monte Carlo draws of the null models of what is simulated")
    parser.add_argument("--outputs", type=int, help="measure a study of so many simulated outputs, and no other")
    parser.add_argument("--folder", type=Path, default=None, help="where to run; a cluster's nodes must see it (default: /tmp)")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as open_ones:
        if arguments.slurm:
            arguments.profile = arguments.profile or "profiles/slurm"
            os.environ |= open_ones.enter_context(slurm_node.SlurmNode()).settings
        scratch = Path(open_ones.enter_context(tempfile.TemporaryDirectory(dir=arguments.folder))).resolve()
        if arguments.outputs:
            measure_outputs.write_harness(scratch / "outputs", arguments.outputs, "multiple_choice")
            simulated = {"format": "lm_eval_samples", "files": ["../outputs"], "models": measure_outputs.models()}
            simulated["metrics"] = list(measure_outputs.CHOICE_METRICS)
            study = {"benchmarks": {"simulated": simulated}, "metrics": "config/metrics.yaml", "resamples": 500}
            study["null_models"] = {"draws": 1000 if arguments.draws is None else arguments.draws}
            compare(f"{arguments.outputs:,} outputs", study, arguments.shards, arguments, scratch)
            return
        files, scores = simulate_bigbench.write_tree(scratch / "tree")
        print(f"the simulated tree: {files:,} files, {scores:,} scores")
        compare("default", None, [1], arguments, scratch)
        # relative paths alone: the record of provenance holds what the configuration says
        simulated = {"format": "bigbench", "directory": "../tree"}
        study = {"benchmarks": {"simulated": simulated}, "metrics": "config/metrics.yaml"}
        study["null_models"] = {"draws": arguments.draws or 0}
        compare("simulated", study, arguments.shards, arguments, scratch)


if __name__ == "__main__":
    main()
