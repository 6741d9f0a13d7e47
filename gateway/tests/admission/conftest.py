"""A clock whose hands a test moves."""

import pytest

NOW = 1_800_000_000


class Hands:
    def __init__(self):
        self.now = float(NOW)

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Hands()
