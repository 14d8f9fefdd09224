"""Which metrics account for the claimed emergent abilities, against the base rate of all tasks."""

from emergence.io import tables
from emergence.io.logs import run
from emergence.questions import attribution
from emergence.study import metric_catalogue, registries


def main():
    block, level = snakemake.params.block, snakemake.params.level
    catalogue = metric_catalogue.load(snakemake.input.metrics)
    if "tasks" in block:
        tasks = registries.load_tasks(block["tasks"])
        claims = registries.load_claims(block["claims"], tasks)
    else:
        tasks = registries.from_scores(tables.read("scores", snakemake.input.scores, categories=True))
        claims = registries.load_claims(block["claims"])
    tables.write(attribution.claims_by_metric(claims, tasks, catalogue, level), "claims_by_metric", snakemake.output.by_metric)
    tables.write(attribution.claims_by_top_metrics(claims, tasks, level), "claims_by_top_metrics", snakemake.output.top_metrics)


run(main, snakemake.log[0])
