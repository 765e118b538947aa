"""Clients of others against `callout mcp` and `callout serve`.

    python clients.py CALLOUT

CALLOUT is the program. The official MCP client for Python and FastMCP's list and call its tools over stdio
and over HTTP, by the handshake of older revisions and without it: results, a failing call, a cancelled one
whose end the upstream sees, progress, 50 calls at once, and a list that changes. The upstream is here too.
Prints what was done, and exits with 1 at the first thing that is not as it should be.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path

import fastmcp
import httpx2
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import listen

AT_ONCE = 50
SLOW = 0.3


class Upstream:
    """Answers /items/{n}, slowly; refuses /refused; says nothing to /stalls."""

    def __init__(self):
        self.stalled = 0
        self.hung_up = 0

    async def start(self):
        self.server = await asyncio.start_server(self.converse, "127.0.0.1", 0)
        self.address = "127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]

    async def converse(self, reader, writer):
        try:
            while head := await self.head(reader):
                path = head.split()[1]
                if path == "/stalls":
                    self.stalled += 1
                    await reader.read()
                    self.hung_up += 1
                    break
                if path == "/refused":
                    status, body = "404 Not Found", {"message": "there is no such thing"}
                else:
                    await asyncio.sleep(SLOW)
                    status, body = "200 OK", {"path": path, "list": [1, 2.5, None]}
                body = json.dumps(body)
                writer.write(
                    f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n"
                    f"content-length: {len(body)}\r\n\r\n{body}".encode()
                )
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    @staticmethod
    async def head(reader):
        try:
            return (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return None


def integration(address, more=""):
    return f"""name: shop
display_name: Shop
base_url: http://{address}
endpoints:
  - name: item
    description: Shows an item
    method: GET
    path: /items/{{id}}
    input_schema: {{ type: object, properties: {{ id: {{ type: integer, minimum: 0 }} }} }}
  - {{ name: refused, description: Is refused, method: POST, path: /refused }}
  - {{ name: stalls, description: Never answers, method: GET, path: /stalls }}
{more}"""


async def until(what, condition):
    end = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < end, f"in vain: {what}"
        await asyncio.sleep(0.02)


class Official:
    """The official client."""

    name = "mcp"

    def __init__(self, mode, on_change):
        self.mode, self.on_change = mode, on_change

    @asynccontextmanager
    async def over_stdio(self, command):
        parameters = StdioServerParameters(command=command[0], args=command[1:])
        async with self.client(stdio_client(parameters, errlog=open(os.devnull, "w"))) as client:
            yield client

    @asynccontextmanager
    async def over_http(self, url, key):
        headers = {"authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            async with self.client(streamable_http_client(url, http_client=http)) as client:
                yield client

    @asynccontextmanager
    async def client(self, transport):
        async with Client(transport, mode=self.mode, message_handler=self.heard) as self.inner:
            yield self

    async def heard(self, message):
        if "list_changed" in repr(message) or "ToolListChanged" in repr(message):
            self.on_change()

    def session(self):
        return self.inner.session

    def revision(self):
        return self.session().protocol_version

    async def tools(self):
        return (await self.inner.list_tools()).tools

    async def call(self, tool, arguments, on_progress=None):
        async def told(progress, total, message):
            on_progress(message)

        result = await self.inner.call_tool(tool, arguments, progress_callback=told if on_progress else None)
        return result.is_error, result.content[0].text, result.structured_content, result.meta or {}

    @asynccontextmanager
    async def listening(self):
        if self.mode == "legacy":
            yield
            return
        async with listen(self.session(), tools_list_changed=True) as events:

            async def follow():
                async for _ in events:
                    self.on_change()

            following = asyncio.create_task(follow())
            yield
            following.cancel()


class Fast(Official):
    """FastMCP's."""

    name = "fastmcp"

    @asynccontextmanager
    async def over_stdio(self, command):
        transport = StdioTransport(command[0], command[1:], keep_alive=False, log_file=Path(os.devnull))
        async with self.client(transport) as client:
            yield client

    @asynccontextmanager
    async def over_http(self, url, key):
        async with self.client(StreamableHttpTransport(url, auth=key)) as client:
            yield client

    @asynccontextmanager
    async def client(self, transport):
        async with fastmcp.Client(transport, mode=self.mode, message_handler=self.heard) as self.inner:
            yield self

    async def tools(self):
        return await self.inner.list_tools()

    async def call(self, tool, arguments, on_progress=None):
        async def told(progress, total, message):
            on_progress(message)

        handler = {"progress_handler": told} if on_progress else {}
        result = await self.inner.call_tool_mcp(tool, arguments, **handler)
        return result.is_error, result.content[0].text, result.structured_content, result.meta or {}


async def exercise(client, upstream, change, changed):
    tools = {tool.name: tool for tool in await client.tools()}
    assert list(tools) == ["shop__item", "shop__refused", "shop__stalls"], list(tools)
    assert tools["shop__item"].input_schema["required"] == ["id"], tools["shop__item"]
    assert tools["shop__item"].annotations.read_only_hint and not tools["shop__refused"].annotations.read_only_hint

    lines = []
    is_error, text, structure, meta = await client.call("shop__item", {"id": 7}, lines.append)
    assert not is_error and json.loads(text) == structure == {"path": "/items/7", "list": [1, 2.5, None]}, text
    assert meta["result_delivery"] == "interrupt" and "truncation" not in meta, meta
    assert lines == ["started", "attempt 1: GET sent"], lines

    is_error, text, structure, meta = await client.call("shop__refused", {})
    assert is_error and "there is no such thing" in text and "correct them" in text and structure is None, text
    error = {"code": "upstream_status", "retryable": False, "retry_after_ms": None, "carried_out": False}
    assert meta["error"] == error, meta
    is_error, text, _, meta = await client.call("shop__item", {"id": "seven"})
    assert is_error and meta["error"]["code"] == "invalid_params" and "id" in text, text

    stalled, hung_up = upstream.stalled, upstream.hung_up
    call = asyncio.create_task(client.call("shop__stalls", {}))
    await until("a call that stalls", lambda: upstream.stalled == stalled + 1)
    assert upstream.hung_up == hung_up
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    await until("the end of a cancelled call", lambda: upstream.hung_up == hung_up + 1)

    began = time.monotonic()
    results = await asyncio.gather(*(client.call("shop__item", {"id": n}) for n in range(AT_ONCE)))
    took = time.monotonic() - began
    assert [structure["path"] for _, _, structure, _ in results] == [f"/items/{n}" for n in range(AT_ONCE)]
    assert took < AT_ONCE * SLOW / 2, f"one after the other: {took:.1f} s"

    async with client.listening():
        await asyncio.sleep(1.5)
        assert not changed
        change()
        await until("word of a change", lambda: changed)
    assert "shop__more" in [tool.name for tool in await client.tools()]
    return took


def callout(program, *arguments, **options):
    done = subprocess.run([program, *arguments], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


@asynccontextmanager
async def serving(program, folder, upstream):
    """A server of its own, and the URL and a key to ask it with."""
    with open(folder / "log", "w") as log:
        server = subprocess.Popen(
            [program, "serve", "--listen", "127.0.0.1:0", "--allow", upstream.address],
            cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True,
        )
        try:
            greeting = await asyncio.to_thread(server.stdout.readline)
            origin = re.search(r"http://\S+", greeting).group()
            # The workspace is there before the first line is printed.
            made = callout(program, "keys", "create", "--workspace", "default", "--json", cwd=folder)
            yield f"{origin}/mcp", json.loads(made)["api_key"]
        finally:
            server.send_signal(signal.SIGTERM)
            # Streams of announcements do not hold it up.
            assert server.wait(20) == 0


async def main(program):
    upstream = Upstream()
    await upstream.start()
    more = "  - { name: more, description: More, method: GET, path: /items/1 }\n"
    before, after = integration(upstream.address), integration(upstream.address, more)
    for kind in (Official, Fast):
        for mode in ("legacy", "auto"):
            for transport in ("stdio", "http"):
                with tempfile.TemporaryDirectory() as folder:
                    folder = Path(folder)
                    file = folder / "shop.yaml"
                    file.write_text(before)
                    changed = []
                    client = kind(mode, lambda: changed.append(True))
                    if transport == "stdio":
                        command = [program, "mcp", str(file), "--allow", upstream.address]
                        async with client.over_stdio(command):
                            took = await exercise(client, upstream, lambda: file.write_text(after), changed)
                            revision = client.revision()
                    else:
                        async with serving(program, folder, upstream) as (url, key):
                            def put(text):
                                file.write_text(text)
                                callout(program, "integrations", "import", "--builtin", str(file), cwd=folder)

                            put(before)
                            async with client.over_http(url, key):
                                took = await exercise(client, upstream, lambda: put(after), changed)
                                revision = client.revision()
                    print(f"{kind.name} over {transport}, revision {revision}: good; "
                          f"{AT_ONCE} calls at once took {took:.1f} s", flush=True)


asyncio.run(asyncio.wait_for(main(sys.argv[1]), 240))
