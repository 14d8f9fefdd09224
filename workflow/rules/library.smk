# What has to come before the configuration is read.
# Gives: the library in scripts/emergence, ready to be imported, and usable().
import sys

sys.path.insert(0, str(Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1] / "scripts"))

from emergence import documents
from emergence.errors import InputError


def usable(look, *arguments):
    """What look(*arguments) finds in the configuration; where it cannot be used, the end of Snakemake with all that is wrong."""
    try:
        return look(*arguments)
    except InputError as error:
        # a WorkflowError would add where in this file it was raised, which is of no use to whoever mends the configuration
        sys.exit(f"The configuration cannot be used.\n{error}")


# Snakemake does not say on which line of a configuration the YAML is broken
if Path("config/config.yaml").is_file() and not workflow.modifier.skip_configfile:
    usable(documents.load_yaml, "config/config.yaml")
