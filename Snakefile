# `snakemake` starts here. The workflow's table of contents is workflow/Snakefile, which other workflows can use as a module, too.
include: "workflow/Snakefile"


# the default target of an included file does not count unless it is named
workflow.default_target = "all"
