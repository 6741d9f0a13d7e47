"""Becomes another program that dies with its parent, as another user if told so.

Run as a script by `python -I -S`, so it imports the standard library only. Two reasons why it is
a program and not a `preexec_fn`: that is unsafe beside threads, and the kernel forgets the wish
to die with the parent when a process changes its user, so the user must change first.

Usage: tether.py PARENT_PID SIGNAL UID GID -- PROGRAM [ARGUMENT…]   (UID GID -1 keep the user)
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PARENT_GONE_EXIT = 70
SEPARATOR = 4


def _change_user(uid: int, gid: int) -> None:
    if uid < 0 or os.geteuid() != 0:
        return
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    os.environ.update(HOME="/", USER=str(uid), LOGNAME=str(uid))


def _die_with_parent(parent: int, signal_number: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    # The parent may have died before the kernel knew of the wish.
    if os.getppid() != parent:
        raise SystemExit(PARENT_GONE_EXIT)


def main(arguments: list[str]) -> None:
    parent, signal_number, uid, gid = (int(value) for value in arguments[:SEPARATOR])
    program = arguments[SEPARATOR + 1 :]
    _change_user(uid, gid)
    _die_with_parent(parent, signal_number)
    os.execv(program[0], program)  # noqa: S606 - the point is to become it, without a shell


if __name__ == "__main__":
    main(sys.argv[1:])
