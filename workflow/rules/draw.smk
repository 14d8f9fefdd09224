# Stage: draw. Needs: the tables of every question and what it reads.
# Gives: results/{benchmark}/figures/*.svg and *.png, each with the numbers it shows as *.csv.
# One job draws all figures of a benchmark: importing the plotting library costs more than drawing.


for met, names in alike(DRAWN).items():
    drawn = asked_of(names[0], DRAWN)

    rule:
        name:
            "_".join(["draw_figures", *met])
        input:
            **tables_of("{benchmark}", *drawn_from(drawn)),
        output:
            **figure_files(drawn),
        log:
            "results/logs/draw_figures/{benchmark}.log",
        wildcard_constraints:
            benchmark=one_of(names),
        conda:
            "../envs/environment.yaml"
        threads: 1
        resources:
            mem_mb=growing(1500),
            runtime=growing(30),
        params:
            questions=[question.name for question in drawn],
            study=configuration.selected(STUDY, drawn_by(drawn, "settings")),
            block=some_keys(drawn_by(drawn, "block")),
            metrics=metrics(*drawn_by(drawn, "catalogue")),
            dpi=STUDY["figures"]["dpi"],
            library=library("scripts/draw_figures.py", *modules(drawn, "figure"), tables=drawn_from(drawn)),
        script:
            script_file("draw_figures.py")
