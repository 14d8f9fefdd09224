"""Files that other programs wrote, which are beside the repository where they exist."""

from pathlib import Path

import pytest

SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "samples"


def sample(name):
    """The path of a sample; the test is skipped where it is not."""
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"the sample {name} is not on this machine")
    return path
