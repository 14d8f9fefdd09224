# What has to come before the configuration is read.
# Gives: the library in scripts/emergence, ready to be imported.
import sys

sys.path.insert(0, str(Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1] / "scripts"))

from emergence import documents
from emergence.errors import InputError

# Snakemake does not say on which line of a configuration the YAML is broken
if Path("config/config.yaml").is_file() and not workflow.modifier.skip_configfile:
    try:
        documents.load_yaml("config/config.yaml")
    except InputError as error:
        sys.exit(f"The configuration cannot be used.\n{error}")
