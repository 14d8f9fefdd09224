"""One set-up for every script: where messages go, and what a failure looks like."""

import contextlib
import errno
import gc
import logging
import os
import sys
from pathlib import Path

from emergence.io.errors import InputError

ERROR = " ERROR "
STARTED, DONE = "started\n", "done\n"

logger = logging.getLogger("emergence")


class _LogFile(logging.FileHandler):
    """The log of one job. Its first line says that the job has started, its last that it is done."""

    def __init__(self, path):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        # a new file, not the old one emptied: so a job that is left over from a killed run sees that another has begun
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        super().__init__(path, mode="w", encoding="utf-8")
        self.path = path
        # a line takes a whole block of the disk, so that a message still finds room when results have filled it
        self.mark(STARTED)

    def mark(self, text):
        try:
            os.write(self.stream.fileno(), text.encode())
        except OSError as error:
            raise OSError(error.errno, error.strerror, self.path) from None

    def handleError(self, record):
        """Say nothing: the message is on the terminal as well, where a traceback about the log would bury it."""

    def is_current(self):
        """Whether this is still the log of its rule, and not another job's that was started since."""
        try:
            return os.path.samestat(os.fstat(self.stream.fileno()), os.stat(self.path))
        except OSError as error:
            # a log that someone has tidied away means nothing; a stale one on a network disk was removed by another job
            return error.errno != errno.ESTALE


def _log_files():
    return [handler for handler in logging.getLogger().handlers if isinstance(handler, _LogFile)]


def is_job():
    """Whether this process is a job of the workflow, started by run()."""
    return bool(_log_files())


def is_superseded():
    """Whether another job has begun the log of this job anew, which means that it makes the same files."""
    return not all(handler.is_current() for handler in _log_files())


def failures(folder, since):
    """What failed jobs said, as one text: the errors in all log files of a folder that were written since a time (seconds).

    A job that ended without a word is named as well.
    """
    said = []
    for path in sorted(Path(folder).rglob("*.log")):
        if path.stat().st_mtime >= since:
            text = path.read_text(encoding="utf-8", errors="replace")
            if ERROR in text:
                said.append(f"{path}:\n{text[text.rindex(ERROR) + len(ERROR) :].rstrip()}")
            elif not text:
                said.append(f"{path}:\nthis log is empty: a cluster did not start the job (see above), or the disk is full")
            elif f"\n{DONE}" not in text:
                said.append(
                    f"{path}:\nthe job was killed before it was done. Where nobody did that, the machine may have run out of memory,"
                    " or the job out of what it was given (`mem_mb`, `runtime`). The same command again goes on from here."
                )
    return (
        "\n\n".join(["What went wrong:", *said]) if said else f"What went wrong is above; the logs of all jobs are in {folder}."
    )


class _Terminal(logging.Formatter):
    """Messages for people: a warning says that it is one."""

    def format(self, record):
        text = super().format(record)
        return f"Warning: {text}" if record.levelno == logging.WARNING else text


def run(main, log_file):
    """Run main() with its messages on the terminal and in the log file; end the process with 1 if it fails.

    A mistake of the user (InputError) or a full or forbidden disk (OSError) is one message. Anything else is a mistake of ours:
    the log keeps its traceback, the terminal shows one line.
    """
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(_Terminal("%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[terminal], force=True)
    logging.captureWarnings(True)
    try:
        record = _LogFile(log_file)
        record.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logging.getLogger().addHandler(record)
        # what has been imported stays to the end: a tenth of the time of drawing goes into looking through it for garbage
        gc.freeze()
        main()
        record.mark(DONE)
    except InputError as error:
        logger.error("%s", error)
        sys.exit(1)
    except KeyboardInterrupt:
        logger.error("interrupted")
        sys.exit(1)
    except MemoryError:
        logger.error("there is not enough memory for this job: give it more (`mem_mb`), or run fewer at once (`--cores`)")
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
