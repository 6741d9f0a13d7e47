"""A platform of real engines and tiny HTTP servers, run by the real supervisor."""

import sys

from sebalai_local import home as homes
from sebalai_local import lifecycle, processes
from sebalai_local.launching import Program
from sebalai_local.units import StopRank, Unit, answers_http

SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"{}")
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def _server(home, name, rank, needs=()):
    port = home.port(name)
    return Unit(
        name,
        program=lambda: Program([sys.executable, "-c", SERVER, str(port)]),
        needs=needs,
        ports=(port,),
        is_ready=answers_http(port),
        stop_rank=rank,
    )


def units(home, with_engines):
    engines = [
        unit for unit in processes.units(home) if unit.name in ("nats", "postgres", "databases")
    ]
    step = Unit("step", program=lambda: Program([sys.executable, "-c", "pass"]), is_step=True)
    return (
        *(engines if with_engines else ()),
        step,
        _server(home, "identity", StopRank.SERVICE, ("step",)),
        _server(home, "gateway", StopRank.GATEWAY, ("identity",)),
    )


def unready(home, _):
    """As a member answers whose database is away, once it has been ready."""
    server = SERVER.replace(
        'self.send_response(200); self.end_headers(); self.wfile.write(b"{}")',
        """
        asked.append(1); self.send_response(200 if len(asked) < 2 else 503); self.end_headers()
        self.wfile.write(b'{"parts": {"database": "failing", "bus": "ok"}}')
asked = []
""",
    )
    port = home.port("identity")
    program = Program([sys.executable, "-c", server, str(port)])
    return (Unit("identity", lambda: program, ports=(port,), is_ready=answers_http(port)),)


def broken(home, _):
    words = "import sys; sys.exit('the disk is full of love letters')"
    program = Program([sys.executable, "-c", words])
    return (*units(home, with_engines=False), Unit("sick", program=lambda: program, is_step=True))


def main(kind):
    home = homes.from_environment()
    chosen = {"broken": broken, "unready": unready}.get(kind, units)(home, kind == "engines")
    wanted = {port: unit.name for unit in chosen for port in unit.ports}
    if sys.argv[2] == "supervise":
        return lifecycle.supervise(home, chosen)
    try:
        lifecycle.up(home, wanted, [__file__, kind, "supervise"])
    except lifecycle.Failure as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
