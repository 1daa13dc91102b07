"""Many clients at once from one thread: whoever is answered asks the next question at once.

All connections wait in one `epoll`, so that a request costs some 10 µs of the cores that the server runs on as well.
"""

import dataclasses
import select
import time

import client

WARM_UP_SECONDS = 2


@dataclasses.dataclass
class Asked:
    """`times`: milliseconds, a list per request of the rotation."""

    times: list
    errors: int
    seconds: float
    cpu_seconds: float

    def rate(self):
        return sum(map(len, self.times)) / self.seconds

    def all(self):
        return [spent for times in self.times for spent in times]


class _Member:
    def __init__(self, address, turn):
        self.address, self.turn = address, turn
        self.connect()

    def connect(self):
        self.socket, self.received = client.connect(self.address), b""

    def ask(self, requests):
        self.turn = (self.turn + 1) % len(requests)
        self.began = time.perf_counter()
        self.socket.sendall(requests[self.turn])

    def hear(self):
        """Whether there was anything to hear."""
        more = self.socket.recv(client.CHUNK)
        self.received += more
        return bool(more)

    def answered(self):
        """The whole answer, if it has come."""
        parts = client.extent(self.received)
        if parts is None or len(self.received) < parts[1]:
            return None
        answer, self.received = self.received, b""
        return answer


def ask(address, requests, clients, seconds):
    """Each client goes round the requests, from a place of its own. What is under way at the end does not count."""
    poll, members = select.epoll(), {}
    for n in range(clients):
        _join(poll, members, _Member(address, n))
    asked = Asked([[] for _ in requests], 0, 0.0, 0.0)
    began, worked = time.perf_counter(), time.process_time()
    for member in members.values():
        member.ask(requests)
    while time.perf_counter() - began < seconds:
        for number, _ in poll.poll(0.1):
            member = members[number]
            if not member.hear():
                asked.errors += 1
                del members[number]
                member.socket.close()
                member.connect()
                _join(poll, members, member)
            elif answer := member.answered():
                asked.times[member.turn].append((time.perf_counter() - member.began) * 1000)
                asked.errors += not answer.startswith(b"HTTP/1.1 200") or b'"errors":' in answer
            else:
                continue
            member.ask(requests)
    asked.seconds, asked.cpu_seconds = time.perf_counter() - began, time.process_time() - worked
    for member in members.values():
        member.socket.close()
    poll.close()
    return asked


def _join(poll, members, member):
    members[member.socket.fileno()] = member
    poll.register(member.socket, select.EPOLLIN)


def ask_warm(address, requests, clients, seconds):
    """The same after a while that does not count."""
    ask(address, requests, clients, WARM_UP_SECONDS)
    return ask(address, requests, clients, seconds)
