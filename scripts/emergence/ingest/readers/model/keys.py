"""What must hold between the keys of a `format: model` block."""

import math

# A probability nearer to 0 or 1 cannot be told from it in the metrics; so many standard deviations of the items are looked at.
_LARGEST_CROSS_ENTROPY = 30.0
_SMALLEST_CROSS_ENTROPY = 1e-12


def problems(block):
    """See emergence.ingest.readers."""
    sizes = block["sizes"]
    if sizes != sorted(sizes):
        return [(("sizes",), "sizes that do not increase", "sizes from the smallest to the largest")]
    if block["world"] != "power_law":
        return []
    found = []
    for number, size in enumerate(sizes):
        log_loss = block["alpha"] * (math.log(size) - math.log(block["c"]))
        if not math.log(_SMALLEST_CROSS_ENTROPY) <= log_loss <= math.log(_LARGEST_CROSS_ENTROPY):
            probability = "below 1e-13" if log_loss > 0 else "above 1 - 1e-12"
            what = f"{size:g}, at which the probability of a right token is {probability}"
            allowed = "sizes at which (N / c) ^ alpha is between 1e-12 and 30; change `sizes`, `c` or `alpha`"
            found.append((("sizes", number), what, allowed))
    return found
