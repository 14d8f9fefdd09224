"""What a schema cannot say of the keys that outputs add to a block. Imported before any job starts, so it needs nothing heavy."""

NAMES_OF_TOKENS = ("characters", "words", "digits")


def problems(block):
    """Regular expressions that cannot be read, and numbers of examples, which outputs say themselves.

    Returns a list of (path of the key within the block, what was found, what is allowed).
    """
    import regex

    found = []
    patterns = {("answer", "regex"): block.get("answer", {}).get("regex")}
    if block.get("tokens") not in NAMES_OF_TOKENS:
        patterns["tokens",] = block.get("tokens")
    for path, pattern in patterns.items():
        if pattern is None:
            continue
        names = " or ".join(f"`{name}`" for name in NAMES_OF_TOKENS) + ", or " if path == ("tokens",) else ""
        try:
            compiled = regex.compile(pattern)
        except (regex.error, RecursionError, OverflowError, ValueError) as error:
            found.append((path, f"`{pattern}`: {error}", f"{names}a regular expression of Python"))
            continue
        if path == ("tokens",) and compiled.fullmatch(""):
            found.append((path, f"`{pattern}`, which matches an empty text", f"{names}a regular expression that matches a token"))
    if "n_examples" in block.get("by_task", {}):
        allowed = "`chance`, `constant_scores` or `higher_is_better`: the examples of outputs are counted"
        found.append((("by_task", "n_examples"), "numbers of examples", allowed))
    return found
