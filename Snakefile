# `snakemake` starts here. The workflow's table of contents is workflow/Snakefile, which other workflows can use as a module, too.
import sys

# Snakemake imports pandas to see whether a parameter is a data frame. None of ours is, and the import takes a fifth of a run with
# nothing to do.
sys.modules.setdefault("pandas", None)


include: "workflow/Snakefile"


# the default target of an included file does not count unless it is named
workflow.default_target = "all"
