"""Where pods can be called, as their callers know it: that one has gone is heard a while later."""

import asyncio


class Addresses:
    """The list that everybody calls from. Kubernetes changes it at once; callers hear of it `heard` seconds later."""

    def __init__(self, heard: float) -> None:
        self.known: list[str] = []
        self._heard = heard

    def joins(self, address: str) -> None:
        self.known.append(address)

    def leaves(self, address: str) -> None:
        asyncio.get_running_loop().call_later(self._heard, self.known.remove, address)
