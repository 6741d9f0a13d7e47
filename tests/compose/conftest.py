"""Keeps these tests out of `make test`: `docker-compose` is in no lock. run.sh sets COMPOSE."""

from __future__ import annotations

import os

collect_ignore = [] if "COMPOSE" in os.environ else ["test_config.py"]
