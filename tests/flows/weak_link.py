"""A telephone's line, made of loopback: slow, far away, and cut at random (labelled stand-in).

Each connection draws its fate from a seeded generator, or takes the next of `fates`: cut while the
request goes up, cut while the answer comes down, or left whole. A cut ends both ends in the middle
of what they say. `carried` counts bytes down the line, those of broken answers too.
"""

import contextlib
import random
import socket
import threading
import time
from collections import Counter, deque
from urllib.parse import urlsplit

PIECE_BYTES = 1024
CUT_SHARE = 0.25
"""Of connections that are cut on the way up, and as many again on the way down."""


class WeakLink:
    def __init__(self, upstream, *, bytes_per_second, latency_seconds, seed):
        self._to = (urlsplit(upstream).hostname, urlsplit(upstream).port)
        self._rate, self._latency = bytes_per_second, latency_seconds
        self._random, self._lock = random.Random(seed), threading.Lock()
        self.fates, self.cuts, self.carried = deque(), Counter(), 0

    @contextlib.contextmanager
    def open(self):
        """Gives the address to call instead of the real one."""
        with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
            threading.Thread(target=self._accept, args=(server,), daemon=True).start()
            try:
                yield f"http://127.0.0.1:{server.getsockname()[1]}"
            finally:
                server.shutdown(socket.SHUT_RDWR)

    def _accept(self, server):
        with contextlib.suppress(OSError):
            while True:
                near, _ = server.accept()
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _fate(self):
        """Where it is cut, `up` or `down`, and after how many bytes."""
        with self._lock:
            if self.fates:
                return self.fates.popleft()
            drawn = self._random.random()
            after = self._random.randrange(1, 4_000)
        return {0: ("up", after % 700), 1: ("down", after)}.get(int(drawn / CUT_SHARE), (None, 0))

    def _carry(self, near):
        fate = self._fate()
        with near, contextlib.suppress(OSError), socket.create_connection(self._to) as far:
            ends = (near, far)
            up = threading.Thread(target=self._pump, args=(near, far, "up", fate, ends))
            up.start()
            self._pump(far, near, "down", fate, ends)
            up.join()

    def _pump(self, source, target, way, fate, ends):
        """Every piece takes its time on the line; the first also the way from end to end."""
        left = fate[1] if fate[0] == way else None
        time.sleep(self._latency)
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE_BYTES):
                time.sleep(len(piece) / self._rate)
                if left is not None and len(piece) >= left:
                    self._cut(way, piece[:left], target, ends)
                    return
                left = left - len(piece) if left is not None else None
                target.sendall(piece)
                self._count(way, len(piece))
            target.shutdown(socket.SHUT_WR)

    def _count(self, way, size):
        if way == "down":
            with self._lock:
                self.carried += size

    def _cut(self, way, piece, target, ends):
        if piece:
            target.sendall(piece)
        self._count(way, len(piece))
        with self._lock:
            self.cuts[way] += 1
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
