"""The cheapest sane HTTP client: a socket that stays open, requests made of bytes beforehand, bodies read whole and not parsed.

It shares the cores with what it measures, so its own cost counts as Throng's. How much that is shows a path that costs the
server nothing: `GET /healthz`, printed beside the questions.
"""

import re
import socket

CHUNK = 65_536
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def request(method, path, headers, body=b"", length=None):
    """`length`: of a body that is sent apart."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    if method == "POST":
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "\r\n"]).encode() + body


def extent(received):
    """Where the body of the answer begins and ends; None while its head is not whole."""
    head = received.find(b"\r\n\r\n")
    if head < 0:
        return None
    return head + 4, head + 4 + int(_LENGTH.search(received, 0, head + 2)[1])


def connect(address):
    host, port = address.rsplit(":", 1)
    connected = socket.create_connection((host, int(port)))
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected


class Connection:
    """One request after the other."""

    def __init__(self, address):
        self.socket = connect(address)

    def send(self, sent):
        self.socket.sendall(sent)
        return self.answer()

    def send_with_file(self, head, file, first, count):
        """A request whose body is a part of a file: the kernel copies it, so that it costs the sender next to nothing."""
        self.socket.sendall(head)
        self.socket.sendfile(file, first, count)
        return self.answer()

    def answer(self):
        """Status and body."""
        received = self._more()
        while (parts := extent(received)) is None or len(received) < parts[1]:
            received += self._more()
        return int(received[9:12]), received[parts[0] : parts[1]]

    def _more(self):
        more = self.socket.recv(CHUNK)
        if not more:
            raise ConnectionError("closed before the answer was whole")
        return more

    def close(self):
        self.socket.close()
