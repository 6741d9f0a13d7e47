"""A stand-in for an agency's system that takes large files: tus 1.0.0, creation and core alone.

python tests/systems/large_files.py PORT
"""

import contextlib
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

LOCK = threading.Lock()


class Files(BaseHTTPRequestHandler):
    """Keeps what has come when the line breaks, as tus wants it; `GET` gives it back."""

    protocol_version = "HTTP/1.1"
    files: ClassVar = {}
    lengths: ClassVar = {}

    def say(self, status, body=b"", **headers):
        self.send_response(status)
        headers |= {"Tus-Resumable": "1.0.0", "Content-Length": str(len(body))}
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        with LOCK:
            number = str(len(self.files))
            self.files[number] = bytearray()
        self.lengths[number] = int(self.headers["Upload-Length"])
        # Its own address, which nobody beyond the gateway can reach.
        self.say(201, Location=f"http://127.0.0.1:{self.server.server_address[1]}/files/{number}")

    @property
    def file(self):
        return self.files[self.path.rpartition("/")[2]]

    def do_HEAD(self):
        length = self.lengths[self.path.rpartition("/")[2]]
        self.say(
            200,
            Upload_Offset=str(len(self.file)),
            Upload_Length=str(length),
            Cache_Control="no-store",
        )

    def do_PATCH(self):
        if int(self.headers["Upload-Offset"]) != len(self.file):
            self.say(409)
            return
        chunks = self.chunked() if self.headers["Transfer-Encoding"] else self.measured()
        for chunk in chunks:
            self.file.extend(chunk)
        with contextlib.suppress(ConnectionError):
            self.say(204, Upload_Offset=str(len(self.file)))

    def measured(self):
        left = int(self.headers["Content-Length"])
        while left and (chunk := self.rfile.read1(min(left, 65_536))):
            left -= len(chunk)
            yield chunk

    def chunked(self):
        while size := int(self.rfile.readline() or b"0", 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def do_GET(self):
        self.say(200, bytes(self.file))

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Files).serve_forever()
