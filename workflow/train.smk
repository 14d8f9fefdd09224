# The trained families of docs/induced.md, from nothing: `make train`. No other run needs this file.
# Gives: trained/{family}.parquet, the rows of workflow/resources/induced/{family}.parquet made anew, and trained/comparison.csv.
from emergence.io import dependencies
from emergence.training import FAMILIES, SEEDS


rule all:
    default_target: True
    input:
        "trained/comparison.csv",


rule train_family:
    output:
        answers="trained/seeds/{family}.{seed}.parquet",
    log:
        "trained/logs/train_family/{family}.{seed}.log",
    wildcard_constraints:
        family="|".join(FAMILIES),
        seed=r"\d+",
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1500 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        library=lambda wildcards: dependencies.digests(
            "scripts/train_family.py", f"scripts/emergence/training/{wildcards.family}.py"
        ),
    script:
        "../scripts/train_family.py"


rule gather_seeds:
    input:
        answers=expand("trained/seeds/{{family}}.{seed}.parquet", seed=SEEDS),
    output:
        rows="trained/{family}.parquet",
    log:
        "trained/logs/gather_seeds/{family}.log",
    wildcard_constraints:
        family="|".join(FAMILIES),
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        seeds=SEEDS,
        library=dependencies.digests("scripts/gather_seeds.py"),
    script:
        "../scripts/gather_seeds.py"


rule compare_families:
    input:
        trained=expand("trained/{family}.parquet", family=FAMILIES),
        shipped=expand("workflow/resources/induced/{family}.parquet", family=FAMILIES),
    output:
        comparison="trained/comparison.csv",
    log:
        "trained/logs/compare_families.log",
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        families=FAMILIES,
        library=dependencies.digests("scripts/compare_families.py"),
    script:
        "../scripts/compare_families.py"
