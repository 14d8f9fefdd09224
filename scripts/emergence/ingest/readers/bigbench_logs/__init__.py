"""BIG-bench full logs."""

# How the names of full logs begin.
PREFIX = "full-log_"
