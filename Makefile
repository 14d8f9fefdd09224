# Everything a person types. The environment is made by the first command that needs it, in .venv, from locked versions.

PYTHON ?= python3
CORES ?= all
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCKED := $(PIP) --require-hashes
# an environment on top of .venv for the tests of SLURM
CLUSTER_VENV := $(VENV)/cluster
# and another for the tests of the explorer in a browser
BROWSER_VENV := $(VENV)/browser
# another that builds the documentation as a site
SITE_VENV := $(VENV)/site
# and one for training networks
TRAIN_VENV := $(VENV)/train

# Snakemake keeps a cache in the home folder, and cannot start where it cannot write there
ifneq ($(shell test -w "$${XDG_CACHE_HOME:-$$HOME}" || echo no),)
export XDG_CACHE_HOME := $(CURDIR)/.snakemake/cache
endif

.DELETE_ON_ERROR:
.PHONY: help run test test-faults test-cluster test-browser fuzz cluster train lint bench docs site lock clean

help:
	@echo "make run          set up, run the study of config/config.yaml, or of the file in CONFIG=FILE, print the answers"
	@echo "make cluster      add what a run through SLURM needs (docs/cluster.md)"
	@echo "make test         set up, run all tests but those of the next four commands"
	@echo "make test-faults  kill runs, fill disks, start two runs at once: what is left must be whole (minutes)"
	@echo "make test-cluster start a SLURM on this machine, as root, and run studies through it (minutes)"
	@echo "make test-browser open the explorer in Chromium, which is installed from Debian where it is missing"
	@echo "make fuzz         fuzz the readers, for longer than make test does"
	@echo "make lint         ruff, snakefmt, snakemake --lint, documentation drift"
	@echo "make train        train the families of docs/induced.md anew and compare them with those that come with the workflow"
	@echo "make bench        measure: what a run costs and where the time goes"
	@echo "make docs         write the generated parts of config/README.md and results/README.md anew"
	@echo "make site         build the documentation as a site, in site/"
	@echo "make lock         resolve workflow/envs/*.in anew"
	@echo "make clean        remove results/ (but its README) and the environment"

run: $(VENV)/run.ready
	@$(BIN)/python -m emergence.study.configuration_checks $(if $(CONFIG),'$(CONFIG)')
	@$(BIN)/snakemake --cores $(CORES) --quiet host reason rules $(if $(CONFIG),--configfile '$(CONFIG)' --replace-workflow-config)
	@echo; cat results/summary.txt; echo; echo "Report: results/report.html"

test: $(VENV)/dev.ready
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m "not faults and not cluster and not browser"

test-faults: $(VENV)/dev.ready
	@$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m faults

test-cluster: $(VENV)/test-cluster.ready
	@$(BIN)/python tests/slurm_node.py
	@$(CLUSTER_VENV)/bin/python -m pytest -m cluster tests/workflow/test_cluster.py

test-browser: $(VENV)/test-browser.ready
	@$(BIN)/python tests/browser.py
	@$(BROWSER_VENV)/bin/python -m pytest -m browser tests/report

fuzz: $(VENV)/dev.ready
	@$(BIN)/python -m pytest --numprocesses 2 tests/ingest/test_fuzz.py tests/ingest/test_fuzz_outputs.py --hypothesis-profile=long

cluster: $(VENV)/cluster.ready

train: $(VENV)/train.ready
	@$(TRAIN_VENV)/bin/python -m snakemake --snakefile workflow/train.smk --cores $(CORES) --quiet host reason rules
	@echo; echo "Trained: trained/*.parquet. Compared with workflow/resources/induced: trained/comparison.csv"

lint: $(VENV)/dev.ready
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/snakefmt --check Snakefile workflow/Snakefile workflow/rules
	@$(BIN)/snakemake --lint
	@$(BIN)/python scripts/write_docs.py --check

bench: $(VENV)/dev.ready
	@$(BIN)/python benchmarks/measure_run.py
	@$(BIN)/python benchmarks/measure_sharpness.py
	@$(BIN)/python benchmarks/measure_nulls.py
	@$(BIN)/python benchmarks/measure_ingest.py
	@$(BIN)/python benchmarks/measure_table.py
	@$(BIN)/python benchmarks/measure_outputs.py
	@$(BIN)/python benchmarks/measure_rescoring.py

docs: $(VENV)/dev.ready
	@$(BIN)/python scripts/write_docs.py

# the files as they are, so that links between them hold
site: $(VENV)/site.ready
	@rm -rf .snakemake/site_source site && mkdir -p .snakemake/site_source
	@git ls-files -z -- '*.md' '*.png' '*.yaml' '*.py' '*/LICENSES/*' LICENSE CITATION.cff | xargs -0 cp --parents --target-directory .snakemake/site_source
	@$(SITE_VENV)/bin/python -m mkdocs build --strict
	@echo "Site: site/index.html"

lock: $(VENV)/dev.ready
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@for name in run dev cluster browser train docs; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header $$(case $$name in run|dev) echo pyproject.toml;; esac) workflow/envs/$$name.in \
	  -o workflow/envs/$$name.txt || exit 1; done

clean:
	@find results -mindepth 1 ! -name README.md -delete
	@rm -rf $(VENV) .snakemake

# An install that is killed leaves packages that look whole and are not. So each begins with a mark and ends by removing it; where
# one is found, the environment is made again from nothing.
UNFINISHED := $(VENV)/unfinished
ifneq ($(wildcard $(UNFINISHED)),)
.PHONY: $(VENV)/python.ready
endif

$(VENV)/python.ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than Python 3.11; name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@rm -f $(VENV)/*.ready && rm -rf $(VENV)
	@echo "Setting up $(VENV) (once; a minute or two) ..."
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu install python3-venv" >&2; exit 1; }
	@touch $@

# bytecode is compiled at install: without it every job would start at half the speed
$(VENV)/run.ready: workflow/envs/run.txt pyproject.toml $(VENV)/python.ready
	@touch $(UNFINISHED)
	@$(LOCKED) --compile --requirement workflow/envs/run.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@ && rm $(UNFINISHED)

$(VENV)/dev.ready: workflow/envs/dev.txt $(VENV)/run.ready
	@touch $(UNFINISHED)
	@$(LOCKED) --compile --requirement workflow/envs/dev.txt
	@touch $@ && rm $(UNFINISHED)

$(VENV)/cluster.ready: workflow/envs/cluster.txt $(VENV)/run.ready
	@touch $(UNFINISHED)
	@$(LOCKED) --compile --requirement workflow/envs/cluster.txt
	@touch $@ && rm $(UNFINISHED)

# An environment on top of .venv: it has all that .venv has, the .pth files of its packages included. It is small, so whatever an
# earlier try left of it is removed first.
SITE = $$($(1)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
ON_TOP = $(BIN)/python -m venv --without-pip $(1) && \
  echo "import site; site.addsitedir(r'$(call SITE,$(VENV))')" > "$(call SITE,$(1))/venv.pth"

# what the environment of a run has, and JAX
$(VENV)/train.ready: workflow/envs/train.txt $(VENV)/run.ready
	@rm -rf $(TRAIN_VENV)
	@$(call ON_TOP,$(TRAIN_VENV))
	@$(subst -m pip,-m pip --python $(TRAIN_VENV)/bin/python,$(LOCKED)) --compile --requirement workflow/envs/train.txt
	@touch $@

# the plugin stays out of .venv: where there are clients of SLURM but no controller, it makes every `snakemake` wait for ten seconds
$(VENV)/test-cluster.ready: workflow/envs/cluster.txt $(VENV)/dev.ready
	@rm -rf $(CLUSTER_VENV)
	@$(call ON_TOP,$(CLUSTER_VENV))
	@$(subst -m pip,-m pip --python $(CLUSTER_VENV)/bin/python,$(LOCKED)) --compile --requirement workflow/envs/cluster.txt
	@touch $@

$(VENV)/test-browser.ready: workflow/envs/browser.txt $(VENV)/dev.ready | $(BIN)/python
	@rm -rf $(BROWSER_VENV)
	@$(call ON_TOP,$(BROWSER_VENV))
	@$(subst -m pip,-m pip --python $(BROWSER_VENV)/bin/python,$(LOCKED)) --compile --requirement workflow/envs/browser.txt
	@touch $@

$(VENV)/site.ready: workflow/envs/docs.txt $(VENV)/dev.ready | $(BIN)/python
	@rm -rf $(SITE_VENV)
	@$(call ON_TOP,$(SITE_VENV))
	@$(subst -m pip,-m pip --python $(SITE_VENV)/bin/python,$(LOCKED)) --compile --requirement workflow/envs/docs.txt
	@touch $@
