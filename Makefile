# Two commands are enough: `make lab` to learn, `make test` to be sure. Each sets up what it needs in .venv.
#
# Stamps in .venv say what is in it. One that is missing (a set-up was cut short) or older than
# pyproject.toml or constraints.txt is made good by the next run.

BIN := .venv/bin
# The folder's own name is part of the stamps: a folder that was moved or renamed is set up again.
HERE := $(shell pwd | cksum | cut -d ' ' -f 1)
MADE := .venv/made-$(HERE)
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt

.PHONY: help lab copies test test-ui test-pyodide test-binder autobahn check bench fidelity notebooks handout slides wheelhouse constraints lock clean
.DELETE_ON_ERROR:

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/make \1|\2/' | \
	  while IFS='|' read -r name text; do printf '%-18s%s\n' "$$name" "$$text"; done

lab: .venv/notebooks-$(HERE) ## Open the notebooks in JupyterLab (ARGS="--no-browser" and others are passed on)
	@$(BIN)/python -m labkit lab $(ARGS)

copies: .venv/notebooks-$(HERE) ## Set up, and make your copies in my-lab/, but open nothing: for an editor of your own
	@$(BIN)/python -m labkit copies

# Strict: an output that differs from the committed one fails. The cells of a notebook stay on one worker.
NBVAL := --nbval --nbval-current-env --nbval-cell-timeout=30 --nbval-sanitize-with tests/sanitize.cfg
test: .venv/test-$(HERE) ## Run all tests: units, docs, notebooks (ARGS="-k word" and others go to pytest)
	@$(BIN)/python -m pytest -q -n 2 --dist loadscope $(NBVAL) --ignore tests/ui --ignore tests/pyodide --ignore tests/binder tests labkit notebooks $(ARGS)

test-ui: .venv/test-$(HERE) ## Test in a real JupyterLab and Chromium (ARGS="--pictures docs/pictures" and others)
	@$(BIN)/python -m pytest -q tests/ui $(ARGS)

test-pyodide: .venv/test-$(HERE) ## Test in the Python of a browser, without a server: Pyodide, from the npm registry
	@$(BIN)/python -m pytest -q --ignore tests/pyodide/test_jupyterlite.py tests/pyodide $(ARGS)

test-binder: .venv/test-$(HERE) ## Replay what Binder does with binder/, without Docker, and install from a wheelhouse; takes minutes
	@$(BIN)/python -m pytest -q -n 2 --dist loadscope tests/binder $(ARGS)

# Its packages come from PyPI, into build/autobahn; all CASES take up to 40 minutes, and write docs/autobahn.*
autobahn: .venv/test-$(HERE) ## Hold the server against Autobahn|Testsuite (PY2=/path/to/python2.7, CASES="7.* 6.4.3")
	@$(BIN)/python -m tests.autobahn.run "$(PY2)" $(foreach case,$(CASES),'$(case)')

check: .venv/check-$(HERE) ## Lint, formatting, types, notebooks' metadata
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python -m mypy
	@$(BIN)/python -m labkit.lessons.execute --check

bench: .venv/test-$(HERE) ## Measure, and print ratios of one interleaved run
	@$(BIN)/python -m labkit.bench $(ARGS)

fidelity: .venv/test-$(HERE) ## Hold the models of nginx and Apache against the real programs (ARGS="nginx/seed" and others)
	@$(BIN)/python -m labkit fidelity $(ARGS)

notebooks: .venv/notebooks-$(HERE) ## Run the reference notebooks and write their outputs in place
	@$(BIN)/python -m labkit.lessons.execute $(ARGS)

handout: .venv/notebooks-$(HERE) ## Write each notebook as one HTML file that needs no network (ARGS="--answers" for the teacher)
	@$(BIN)/python -m labkit.lessons.pages.handout build/handout $(ARGS)

slides: .venv/notebooks-$(HERE) ## Write slides from the notebooks, one HTML file each, that need no network
	@$(BIN)/python -m labkit.lessons.pages.slides build/slides $(ARGS)

wheelhouse: .venv/notebooks-$(HERE) ## Make a folder for a USB stick, from which machines like this one install without a network
	@rm -rf build/wheelhouse build/lib build/bdist.*  # what a wheel was once built from would get into this one
	@$(BIN)/python -m pip --disable-pip-version-check wheel --quiet -c constraints.txt -w build/wheelhouse/wheels '.[notebooks]'
	@mkdir build/wheelhouse/notebooks && cp notebooks/*.ipynb build/wheelhouse/notebooks/ && cp LICENSE build/wheelhouse/
	@cp docs/wheelhouse.txt build/wheelhouse/README.txt
	@$(BIN)/python -c 'import platform as p; print("Python", ".".join(p.python_version_tuple()[:2]), "on", p.system(), p.machine())' \
	  > build/wheelhouse/FOR.txt
	@echo "build/wheelhouse: $$(du -sm build/wheelhouse | cut -f 1) MB, for $$(cat build/wheelhouse/FOR.txt)"

constraints: ## Remake constraints.txt; run it with the oldest Python, Debian 12's python3.11
	@rm -rf build/newest && python3.11 -m venv build/newest
	@build/newest/bin/python -m pip --disable-pip-version-check install --quiet -e '.[notebooks,test,check,bench]'
	@grep '^#' constraints.txt > build/constraints.txt
	@build/newest/bin/python -m pip freeze --exclude http101-labkit >> build/constraints.txt
	@mv build/constraints.txt constraints.txt; rm -rf build/newest
	@$(MAKE) --no-print-directory lock

# uv, because it resolves for a Python that is not on this machine. Binder has JupyterLab already; a second one would
# make the image larger and its `jupyter notebook` unhappy.
lock: ## Remake binder/requirements.txt from pyproject.toml and constraints.txt, for Binder's Python
	@$(find-python); "$$python" -m venv --clear build/lock
	@build/lock/bin/python -m pip --disable-pip-version-check install --quiet uv
	@grep '^#' binder/requirements.txt > build/requirements.txt
	@build/lock/bin/uv pip compile --quiet --no-header --no-annotate --no-python-downloads --python build/lock/bin/python \
	  --python-version "$$(sed 's/python-//' binder/runtime.txt)" --python-platform x86_64-manylinux_2_28 \
	  --extra lessons --constraint constraints.txt pyproject.toml >> build/requirements.txt
	@mv build/requirements.txt binder/requirements.txt; rm -rf build/lock

clean: ## Remove all that was made, but never my-lab/
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The first Python that is new enough and can make environments; else one line that says what to install.
define find-python
python=; old=; bare=; \
for name in $(PYTHON) python3.14 python3.13 python3.12 python3.11 python3; do \
  "$$name" -c '' 2>/dev/null || continue; \
  if ! "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then old=$$name; \
  elif ! "$$name" -c 'import venv, ensurepip' 2>/dev/null; then bare=$${bare:-$$name}; \
  else python=$$name; break; fi; \
done; \
if [ -z "$$python" ] && [ -n "$$bare" ]; then \
  echo "$$bare has no venv module; install it: sudo apt install $$bare-venv" >&2; exit 1; \
elif [ -z "$$python" ] && [ -n "$$old" ]; then \
  echo "labkit needs Python 3.11 or later, and this is $$("$$old" -V 2>&1); install one: sudo apt install python3.11 python3.11-venv, or https://www.python.org/downloads/" >&2; exit 1; \
elif [ -z "$$python" ]; then \
  echo "labkit needs Python 3.11 or later, and there is none; install it: sudo apt install python3 python3-venv" >&2; exit 1; \
fi
endef

# Again, where the Python that the environment was made with is gone.
$(MADE): $(if $(shell test -x $(BIN)/python && echo there),,again)
	@$(find-python); echo "Setting up .venv with $$("$$python" -V); on first use this takes a minute or two." >&2; \
	"$$python" -m venv --clear .venv
	@touch $@

.PHONY: again
again:

.venv/notebooks-$(HERE): extras = notebooks
.venv/test-$(HERE): extras = notebooks,test
.venv/check-$(HERE): extras = notebooks,test,check

# While pip is at work the environment counts as unmade: one that was cut short is begun again from nothing.
.venv/notebooks-$(HERE) .venv/test-$(HERE) .venv/check-$(HERE): pyproject.toml constraints.txt $(MADE)
	@echo "Installing labkit[$(extras)] …" >&2
	@mv $(MADE) .venv/unfinished && $(PIP) -e '.[$(extras)]' && mv .venv/unfinished $(MADE)
	@touch $@
