"""Mistakes in what the user gave us, told apart from mistakes in our own code."""

import contextlib

from emergence.io.texts import printable, shortened


def mistake(where, found, allowed):
    """One mistake in words, the same everywhere: where it is, what was found, what is allowed."""
    return f"{printable(where)}\n    found: {printable(found)}\n    allowed: {allowed}"


@contextlib.contextmanager
def naming(file):
    """What is done with a file: where memory does not suffice for it, an InputError names it."""
    try:
        yield
    except MemoryError:
        raise InputError(
            mistake(file, "it needs more memory than there is", "a smaller file, or more memory for this job")
        ) from None


class InputError(Exception):
    """Something in a file or in the configuration is wrong and the user can correct it.

    problems: list of str, each a whole message: where, what was found, what is allowed. As text, the error shows the first of
    them, and of each what a person can read: names from files may be of any length and hold anything.
    """

    SHOWN = 20
    LINES = 40
    WIDTH = 1000

    def __init__(self, problems):
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__(str(self))

    def __str__(self):
        shown = [self._readable(problem) for problem in self.problems[: self.SHOWN]]
        rest = len(self.problems) - len(shown)
        return "\n".join(shown + ([f"... and {rest} more like these."] if rest else []))

    def _readable(self, problem):
        lines = problem.split("\n")
        cut = lines[: self.LINES] + (["    ..."] if len(lines) > self.LINES else [])
        return "\n".join(shortened(printable(line), self.WIDTH) for line in cut)
