"""The same bytes on every processor: OpenBLAS and NumPy choose their instructions by the one they find."""

import itertools
import os
import platform
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from conftest import COLUMNS, copy_of_workflow, digests, snakemake
from emergence.io import processors

# What an old processor does not have: as NumPy, the C library and Arrow call it, and the core that OpenBLAS takes it for.
OLD_PROCESSOR = {
    "OPENBLAS_CORETYPE": "Nehalem",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA",
    "ARROW_USER_SIMD_LEVEL": "NONE",
}
NEW_PROCESSOR = {
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "",
    "GLIBC_TUNABLES": "",
    "ARROW_USER_SIMD_LEVEL": "",
}

x86_64_only = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="the two processors are of one architecture"
)


def write_scores(path):
    """Thirty-two curves of eight scales, each score the share of right answers to 150 questions."""
    stream = np.random.default_rng(5)
    rows = []
    for task, metric, family in itertools.product(range(8), ("exact_match", "f1"), ("A", "B")):
        for number in range(8):
            rate = 1 / (1 + np.exp(4 - number + 0.3 * task))
            score = stream.binomial(150, rate) / 150
            rows.append((f"t{task}", metric, family, f"m{number}", 10.0 ** (6 + number / 2), score, 150))
    pd.DataFrame(rows, columns=[*COLUMNS, "n_examples"]).to_csv(path, index=False)


@pytest.mark.faults
@x86_64_only
def test_two_processors_leave_the_same_bytes(tmp_path, monkeypatch):
    """Scores, and outputs of the paper's model: both differ as soon as jobs may use what the newer processor has."""
    columns = {column: column for column in (*COLUMNS, "n_examples")}
    study = {
        "benchmarks": {
            "scores": {"format": "table", "files": ["scores.csv"], "columns": columns, "constants": {"chance": 0.0}},
            "outputs": {"format": "model", "world": "power_law", "n_examples": 100},
        },
        "null_models": {"draws": 200},
        "resamples": 99,
    }
    left = []
    wanted = ("results/scores/resolution.csv", "results/outputs/verdicts.csv")
    for name, processor in (("old", OLD_PROCESSOR), ("new", NEW_PROCESSOR)):
        folder = copy_of_workflow(tmp_path / name, study)
        write_scores(folder / "scores.csv")
        for key, value in processor.items():
            monkeypatch.setitem(os.environ, key, value)
        done = snakemake(folder, *wanted, "--cores", "1")
        assert done.returncode == 0, done.stdout + done.stderr
        left.append(digests(folder))
    assert left[0] == left[1]
    assert len(left[0]) > 40


@x86_64_only
def test_jobs_use_nothing_that_numpy_chooses_by_the_processor():
    """By NumPy's own account, in a process with the variables that jobs get: none of what it can do without is on."""
    code = "import numpy._core._multiarray_umath as m; print([name for name in m.__cpu_dispatch__ if m.__cpu_features__[name]])"

    def chosen(variables):
        command = [sys.executable, "-c", code]
        return subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=True).stdout.strip()

    assert chosen(processors.settings(os.environ)) == "[]"


def test_what_a_user_tunes_of_the_c_library_stays():
    found = processors.settings({"GLIBC_TUNABLES": "glibc.malloc.check=3:glibc.cpu.hwcaps=-AVX2"}, "x86_64")
    assert found["GLIBC_TUNABLES"].startswith("glibc.malloc.check=3:glibc.cpu.hwcaps=-FMA,")
    assert processors.settings({}, "aarch64") == {}
