"""The reference: a gRPC server that does nothing but answer. `python -m bench.echo PORT`"""

import asyncio
import sys
from typing import Any

import grpc

METHOD = "/bench.Echo/Echo"


async def echo(request: bytes, _: "grpc.aio.ServicerContext[Any, Any]") -> bytes:
    return request


async def serve(port: int) -> None:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    _, service, method = METHOD.split("/")
    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {method: grpc.unary_unary_rpc_method_handler(echo)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, handlers)])
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
