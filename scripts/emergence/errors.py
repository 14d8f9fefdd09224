"""Mistakes in what the user gave us, told apart from mistakes in our own code."""


def told(where, found, allowed):
    """One mistake in words, the same everywhere: where it is, what was found, what is allowed."""
    return f"{where}\n    found: {found}\n    allowed: {allowed}"


class InputError(Exception):
    """Something in a file or in the configuration is wrong and the user can mend it.

    problems: list of str, each a whole message: where, what was found, what is allowed.
    """

    SHOWN = 20

    def __init__(self, problems):
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__(str(self))

    def __str__(self):
        shown = self.problems[: self.SHOWN]
        rest = len(self.problems) - len(shown)
        return "\n".join(shown + ([f"... and {rest} more like these."] if rest else []))
