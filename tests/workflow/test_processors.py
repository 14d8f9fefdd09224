"""The same bytes on every processor: OpenBLAS and NumPy choose their instructions by the one they find."""

import itertools
import os
import platform

import numpy as np
import pandas as pd
import pytest

from conftest import COLUMNS, copy_of_workflow, digests, snakemake

# What an old processor does not have, as NumPy calls it, and the core that OpenBLAS takes it for.
OLD_PROCESSOR = {
    "OPENBLAS_CORETYPE": "Nehalem",
    "NPY_DISABLE_CPU_FEATURES": "AVX512_SPR,AVX512_ICL,AVX512_CNL,AVX512_CLX,AVX512_SKX,AVX512CD,AVX512F,AVX2,FMA3",
}
NEW_PROCESSOR = {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": ""}


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
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the two processors are of one architecture")
def test_two_processors_leave_the_same_bytes(tmp_path, monkeypatch):
    columns = {column: column for column in (*COLUMNS, "n_examples")}
    study = {
        "benchmarks": {"mine": {"format": "table", "files": ["scores.csv"], "columns": columns, "constants": {"chance": 0.0}}},
        "null_models": {"draws": 200},
        "resamples": 99,
    }
    left = []
    for name, processor in (("old", OLD_PROCESSOR), ("new", NEW_PROCESSOR)):
        folder = copy_of_workflow(tmp_path / name, study)
        write_scores(folder / "scores.csv")
        for key, value in processor.items():
            monkeypatch.setitem(os.environ, key, value)
        done = snakemake(folder, "results/mine/resolution.csv", "--cores", "1")
        assert done.returncode == 0, done.stdout + done.stderr
        left.append(digests(folder))
    assert left[0] == left[1]
    assert len(left[0]) > 15
