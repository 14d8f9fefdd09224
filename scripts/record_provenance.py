"""Record what the run was made from: resolved configuration, package versions, digests of inputs and tables, commit."""

import json

from emergence.io import provenance, tables
from emergence.io.logs import run


def main():
    record = provenance.record(snakemake.params.study, snakemake.input.files, snakemake.input.tables)
    with tables.replacing(snakemake.output.provenance) as temporary:
        temporary.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


run(main, snakemake.log[0])
