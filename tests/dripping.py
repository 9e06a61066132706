"""A web server that begins an answer and then gives a byte of it now and then."""

import socketserver
import threading
from contextlib import contextmanager, suppress

DROPS = 200
"""How many it gives at most: some seconds of them."""


@contextmanager
def answering(beginning, drop=b""):
    """Serve until the block ends: `beginning`, and then drops of it; gives the address."""
    over = threading.Event()

    class Answer(socketserver.StreamRequestHandler):
        def handle(self):
            while self.rfile.readline().strip():
                pass
            with suppress(OSError):  # who asked has gone
                self.wfile.write(beginning)
                for _ in range(DROPS if drop else 0):
                    if over.wait(0.02):
                        break
                    self.wfile.write(drop)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            over.set()
            server.shutdown()
