"""What must hold between the keys of a `format: every_eval_ever` block: as for results files, which do not know families either."""

from emergence.ingest.readers.lm_eval.keys import problems

__all__ = ["problems"]
