# What has to come before the configuration is read.
# Gives: or_exit(), script_file(), and the message for a Python without the library.
import os
import sys

from snakemake.sourcecache import LocalGitFile

try:
    import emergence
except ModuleNotFoundError:
    sys.exit(
        "The package `emergence` is not installed in this Python.\n"
        f"    found: {sys.executable} without it\n"
        "    allowed: the environment that `make` sets up (.venv/bin/snakemake); or `pip install .` in the folder of the workflow"
    )
from emergence.io.errors import InputError
from emergence.io import processors
from emergence.study import configuration_checks

# before any job starts: each inherits them
os.environ.update(processors.settings(os.environ))


def or_exit(look, *arguments):
    """What look(*arguments) finds in the configuration; where it cannot be used, the end of Snakemake with all that is wrong."""
    try:
        return look(*arguments)
    except InputError as error:
        # a WorkflowError would add where in this file it was raised, which is of no use to whoever corrects the configuration
        sys.exit(f"The configuration cannot be used.\n{error}")


or_exit(configuration_checks.check_place, workflow.basedir)

# before Snakemake reads it, which does not say in which line it is broken, and would wait for ever at a pipe
if not workflow.modifier.skip_configfile and (Path("config/config.yaml").exists() or not workflow.overwrite_configfiles):
    or_exit(configuration_checks.check_file, "config/config.yaml")


def script_file(name, scripts=workflow.current_basedir.join("../../scripts")):
    """The path of a script, from the rules' folder.

    In a local git repository (`gitfile`) it is a whole address: Snakemake 9 cannot join a path to the folder of a rule there.
    """
    if not isinstance(scripts, LocalGitFile):
        return f"../../scripts/{name}"
    return scripts.join(name).get_path_or_uri(secret_free=True)
