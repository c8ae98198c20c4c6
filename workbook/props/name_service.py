"""A DNS server that knows one name, as a cluster's does for a headless Service: an address for each pod."""

import socket
import struct
import threading
from typing import Self

_HEADER, _TYPE_A = 12, 1
_ANSWER, _TTL = 0x8400, 0  # an answer, by the one who knows; to be kept by nobody


class NameService:
    """Answers every question for an IPv4 address with all `addresses` of this moment; counts questions in `asked`."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True, name="dns")

    def target(self, name: str, port: int) -> str:
        """How a gRPC channel is told to ask this server for the addresses behind `name`."""
        return f"dns://127.0.0.1:{self._socket.getsockname()[1]}/{name}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(b"", self._socket.getsockname())  # nobody asks nothing: the end
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            question, client = self._socket.recvfrom(512)
            if not question:
                return
            self._socket.sendto(self._answer(question), client)

    def _answer(self, question: bytes) -> bytes:
        ends = question.index(0, _HEADER) + 1  # a name ends in an empty label
        kind = int.from_bytes(question[ends : ends + 2])
        addresses = [*self.addresses] if kind == _TYPE_A else []
        self.asked += kind == _TYPE_A
        head = question[:2] + struct.pack(">HHHHH", _ANSWER, 1, len(addresses), 0, 0)
        records = [
            struct.pack(">HHHIH4s", 0xC000 | _HEADER, _TYPE_A, 1, _TTL, 4, socket.inet_aton(address))
            for address in addresses
        ]
        return b"".join((head, question[_HEADER : ends + 4], *records))
