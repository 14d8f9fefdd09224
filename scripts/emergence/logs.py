"""One set-up for every script: where messages go, and what a failure looks like."""

import logging
import os
import sys
from pathlib import Path

from emergence.errors import InputError

ERROR = " ERROR "

logger = logging.getLogger("emergence")


def failures(folder, since):
    """What failed jobs said, as one text: the errors in all log files of a folder that were written since a time (seconds)."""
    said = []
    for path in sorted(Path(folder).rglob("*.log")):
        if path.stat().st_mtime >= since:
            text = path.read_text(encoding="utf-8", errors="replace")
            if ERROR in text:
                said.append(f"{path}:\n{text[text.rindex(ERROR) + len(ERROR) :].rstrip()}")
    return (
        "\n\n".join(["What went wrong:", *said]) if said else f"What went wrong is above; the logs of all jobs are in {folder}."
    )


def run(main, log_file):
    """Run main() with its messages on the terminal and in the log file; end the process with 1 if it fails.

    A mistake of the user (InputError) or a full or forbidden disk (OSError) is one message. Anything else is a mistake of ours:
    the log keeps its traceback, the terminal shows one line.
    """
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(logging.Formatter("%(message)s"))
    handlers = [terminal]
    if log_file:
        os.makedirs(os.path.dirname(log_file) or ".", exist_ok=True)
        record = logging.FileHandler(log_file, mode="w", encoding="utf-8")
        record.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        handlers.append(record)
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    logging.captureWarnings(True)
    try:
        main()
    except InputError as error:
        logger.error("%s", error)
        sys.exit(1)
    except OSError as error:
        logger.error("%s: %s", error.filename or "a file", error.strerror or error)
        sys.exit(1)
    except Exception as error:
        terminal.setLevel(logging.CRITICAL + 1)
        logger.exception("unexpected failure")
        terminal.setLevel(logging.INFO)
        logger.error(
            "unexpected failure (%s: %s); the log %s has the traceback: please report it", type(error).__name__, error, log_file
        )
        sys.exit(1)
