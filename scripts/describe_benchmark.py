"""Write a starter block for a benchmark's files: python scripts/describe_benchmark.py PATH [--name NAME]

The block goes to the standard output, ready for a configuration; what there is to say about it goes to the standard error.
"""

import argparse
import sys

from emergence.io.errors import InputError
from emergence.study import starter_blocks
from emergence.study.configuration import DEFAULT_METRICS

_PATH = (
    "a file or a folder: tables of scores or of outputs; results of lm-evaluation-harness, or its samples (--log_samples); "
    "a BIG-bench checkout with its score files or its full logs; instances of Every Eval Ever"
)


def main():
    parser = argparse.ArgumentParser(description="Write a starter block for a benchmark's files.")
    parser.add_argument("path", help=_PATH)
    parser.add_argument("--name", help="name of the block; without it, the name of the file or folder")
    parser.add_argument("--metrics", default=DEFAULT_METRICS, help="the metric catalogue; without it, the workflow's own")
    parser.add_argument("--models-file", help="where a list of many models is written; without it, <name>_models.csv")
    arguments = parser.parse_args()
    try:
        block = starter_blocks.starter(arguments.path, arguments.name, arguments.metrics, arguments.models_file)
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    print(block, end="")
    left = sum(starter_blocks.FILL in line for line in block.splitlines())
    advice = f"{left} values are left to fill in; each has a comment" if left else "nothing is left to fill in"
    print(f"{advice}. Then check it with `snakemake --dry-run`.", file=sys.stderr)
    return 0


sys.exit(main())
