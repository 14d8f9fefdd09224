"""Families of small networks, trained so that only their size differs; docs/induced.md has the rules, stated before looking.

Each module is one family. It has SIZES (the widths of its models, small to large) and a function

    train(seed) -> frame with one row per model and test example

whose rows are those of `format: outputs_table`. What a family is trained on, how and for how long is in constants at the head
of its module. All models of a family see equally many training examples in equally many steps, and answer the same test
examples, which are drawn as the training examples are.
"""

SEEDS = (1, 2, 3)
FAMILIES = ("autoencoder", "addition", "multiplication", "digits_cnn")

# What the runs of all seeds together are called where they make one curve, each score the mean over the seeds.
POOLED = "mean of seeds"
