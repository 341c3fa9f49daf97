"""One JupyterLab and one browser for the session; see tests/ui/rig.py."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.ui.rig import KEPT, ROOT, Lab, chromium, jupyter_lab, need_browser

LAB = pytest.StashKey[Lab]()


def pytest_addoption(parser):
    parser.addoption("--pictures", type=Path, default=KEPT, help="where the pictures for the documentation go")


@pytest.fixture(scope="session")
def browser():
    need_browser()
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def lab(browser, tmp_path_factory, pytestconfig):
    shutil.rmtree(KEPT, ignore_errors=True)  # what an earlier run left
    folder = tmp_path_factory.mktemp("checkout")
    with jupyter_lab(folder) as server:
        running = Lab(browser, server, folder / "my-lab", pytestconfig.getoption("pictures").resolve())
        pytestconfig.stash[LAB] = running
        yield running
        running.close()


@pytest.fixture(scope="session")
def copies(lab):
    """Copy the committed notebooks by hand: their outputs are in them, and nobody has trusted them."""
    return shutil.copytree(ROOT / "notebooks", lab.folder / "by-hand").name


@pytest.fixture(autouse=True)
def quiet_console(request):
    """Fail a test whose page has written an error to the browser's console."""
    yield
    lab = request.config.stash.get(LAB, None)
    if lab and lab.page and lab.page.errors:
        errors, lab.page.errors = lab.page.errors, []
        pytest.fail("the browser's console says:\n" + "\n".join(errors), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    lab = item.config.stash.get(LAB, None)
    if report.failed and lab and lab.page:
        report.sections.append(("what the page showed", str(lab.page.keep(item.name))))
    return report
