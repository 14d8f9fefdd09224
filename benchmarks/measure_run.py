"""What a run of the default study costs, and where the time goes.

    python benchmarks/measure_run.py

Runs the study in a copy of the repository: everything, then again with nothing to do. Prints seconds, the seconds of each
job, and the start-up cost of the imports that jobs pay.
"""

import datetime
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run(folder, *arguments):
    """Seconds of wall clock, processor seconds of the children, and the output of a Snakemake run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "snakemake", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stderr


def job_seconds(log):
    """Seconds of each job, by rule, from the times that Snakemake prints: a list of (rule, seconds), longest first."""
    stamp = r"\[(\w{3} \w{3} +\d+ [\d:]{8} \d{4})\]\n"
    started = {
        job: (when, rule) for when, rule, job in re.findall(stamp + r"localrule (\w+):(?:\n    .*)*?\n    jobid: (\d+)", log)
    }
    jobs = []
    for when, job in re.findall(stamp + r"Finished jobid: (\d+)", log):
        begin, rule = started.get(job, (None, None))
        if begin:
            parse = "%a %b %d %H:%M:%S %Y"
            seconds = datetime.datetime.strptime(when, parse) - datetime.datetime.strptime(begin, parse)
            jobs.append((rule, seconds.total_seconds()))
    return sorted(jobs, key=lambda item: -item[1])


def import_seconds(module):
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
    return time.perf_counter() - start


def main():
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "study"
        ignored = shutil.ignore_patterns(".git", ".venv", ".snakemake", "results", "__pycache__")
        shutil.copytree(ROOT, folder, ignore=ignored)
        wall, processor, log = run(folder, "--cores", "2", "--quiet", "host")
        print(f"default study, 2 cores: {wall:.1f} s wall, {processor:.1f} s processor")
        for rule, seconds in job_seconds(log):
            print(f"  {rule:20} {seconds:4.0f} s")
        wall, processor, _ = run(folder, "--cores", "2")
        print(f"again, nothing to do:   {wall:.1f} s wall, {processor:.1f} s processor")
    for module in ("sys", "numpy", "pandas", "pyarrow.parquet", "scipy.special", "scipy.stats", "matplotlib.pyplot", "seaborn"):
        print(f"  import {module:16} {import_seconds(module):5.2f} s with the interpreter's start")


if __name__ == "__main__":
    main()
