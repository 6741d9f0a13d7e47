"""Tools for tests alone; only tests import it."""
