"""A line to PostgreSQL that is cut silently: neither side hears that it is, nor anything else."""

import asyncio
import contextlib

from tests.between import Between


class SilentLine(Between):
    """Passes bytes on, and while it is `cut` loses them; `lost` says how often. Connections stay open, new ones too."""

    def __init__(self, server: int) -> None:
        super().__init__(server)
        self.cut = False
        self.lost = 0

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the client hangs up. That the server did is not passed on: a line that is cut would not."""
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._server)
        answers = asyncio.create_task(self._pass(from_server, writer))
        try:
            await self._pass(reader, to_server)
        finally:
            answers.cancel()
            for end in (to_server, writer):
                end.close()
            await asyncio.gather(answers, to_server.wait_closed(), writer.wait_closed(), return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if self.cut:
                    self.lost += 1
                else:
                    writer.write(data)
