"""Outputs of models: one row per example and model, and what can be computed from them."""
