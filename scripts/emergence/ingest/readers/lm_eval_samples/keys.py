"""What must hold between the keys of a `format: lm_eval_samples` block: as for the results files of the same runs."""

from emergence.ingest.readers.lm_eval.keys import problems

__all__ = ["problems"]
