"""One Prefect server for all tests that need one: starting it takes seconds, so it is started once a worker."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def prefect() -> Iterator[None]:
    """A temporary Prefect server with a database of its own, which every flow of the session talks to."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield
