# Stage 4. Needs: the tables of stages 2 and 3.
# Gives: results/{benchmark}/figures/*.svg and *.png, each with the numbers it shows as *.csv.
# One job draws all figures of a benchmark: importing the plotting library costs more than drawing.


rule draw_figures:
    input:
        **figure_tables(),
    output:
        **figure_files(CURVE_FIGURES | TEST_FIGURES),
    log:
        "results/logs/draw_figures/{benchmark}.log",
    wildcard_constraints:
        benchmark=one_of([name for name in BENCHMARKS if name not in CLAIMED]),
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(30),
    params:
        answers_over=lambda wildcards: block(wildcards)["answers_over"],
        rate=STUDY["null_models"]["false_discovery_rate"],
        scale_label=lambda wildcards: block(wildcards)["scale_label"],
        threshold=STUDY["emergence"]["threshold"],
        sharpest_curves=STUDY["figures"]["sharpest_curves"],
        dpi=STUDY["figures"]["dpi"],
        library=library("scripts/draw_figures.py"),
    script:
        "../../scripts/draw_figures.py"


use rule draw_figures as draw_figures_with_claims with:
    input:
        **figure_tables(),
        claims_by_metric="results/{benchmark}/claims_by_metric.csv",
    output:
        **figure_files(CURVE_FIGURES | TEST_FIGURES | CLAIM_FIGURES),
    wildcard_constraints:
        benchmark=one_of(CLAIMED),
