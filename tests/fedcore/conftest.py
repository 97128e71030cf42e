import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fedcore.engine.device import one_thread
from fedcore.environment import Folders

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """Compute as the engine does; two threads on a busy machine wait for each other for seconds."""
    with one_thread():
        yield


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache of prepared data sets for the whole session: digits are prepared once.

    Test processes that run side by side share it, as those of an installation do.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return tmp_path_factory.mktemp("cache")
    shared = tmp_path_factory.getbasetemp().parent / "cache"
    shared.mkdir(exist_ok=True)
    return shared


@pytest.fixture(scope="session")
def folders(cache_dir: Path) -> Folders:
    return Folders(data=None, cache=cache_dir)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with local copies of the real data sets; tests that need it skip without one."""
    named = os.environ.get("ROUNDHOUSE_DATA_DIR")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not (folder / "mnist").is_dir():
        pytest.skip("needs real data: let ROUNDHOUSE_DATA_DIR name a folder that has mnist/")
    return folder
