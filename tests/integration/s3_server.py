"""An object store with as much of the API of S3 as files need: objects are put, read, deleted and listed."""

import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate
from urllib.parse import quote
from xml.sax.saxutils import escape, unescape

from aiohttp import web
from aiohttp.test_utils import TestServer

BUCKET, LOOPBACK = "bucket", "127.0.0.1"


class S3Server:
    """The objects of one bucket, by their keys, and the users whose requests were signed."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.users: set[str] = set()
        self.is_down = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answers a request of path style: ``/bucket/key``."""
        signed = request.headers.get("Authorization", "")
        self.users.add(signed.partition("Credential=")[2].partition("/")[0])
        bucket, _, key = request.match_info["path"].partition("/")
        if self.is_down:
            return _error(503, "SlowDown")
        if not signed.startswith("AWS4-HMAC-SHA256"):
            return _error(403, "AccessDenied")
        if bucket != BUCKET:
            return _error(404, "NoSuchBucket")
        if not key and request.method == "POST" and "delete" in request.query:
            return self._deleted(await request.text())
        if not key:
            return self._listed(request.query.get("prefix", ""))
        match request.method:
            case "PUT":
                self.objects[key] = await request.read()
                return web.Response(headers={"ETag": _tag(self.objects[key])})
        if key not in self.objects:
            return _error(404, "NoSuchKey")
        content = self.objects[key]
        return web.Response(body=content, headers={"ETag": _tag(content), "Last-Modified": formatdate(usegmt=True)})

    def _deleted(self, body: str) -> web.Response:
        keys = [unescape(key) for key in re.findall("<Key>(.*?)</Key>", body)]
        for key in keys:
            self.objects.pop(key, None)
        rows = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
        return web.Response(text=f"<DeleteResult>{rows}</DeleteResult>", content_type="application/xml")

    def _listed(self, prefix: str) -> web.Response:
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(content)}</Size><ETag>{_tag(content)}</ETag>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for key, content in sorted(self.objects.items())
            if key.startswith(prefix)
        )
        head = f"<Name>{BUCKET}</Name><Prefix>{quote(prefix)}</Prefix><IsTruncated>false</IsTruncated>"
        return web.Response(text=f"<ListBucketResult>{head}{rows}</ListBucketResult>", content_type="application/xml")


@asynccontextmanager
async def running_s3() -> AsyncIterator[tuple[S3Server, str]]:
    """Runs an empty store, and yields it with its address."""
    store, app = S3Server(), web.Application(client_max_size=2**28)
    app.router.add_route("*", "/{path:.*}", store.answer)
    async with TestServer(app, host=LOOPBACK) as server:
        yield store, f"http://{LOOPBACK}:{server.port}"


def _error(status: int, code: str) -> web.Response:
    return web.Response(status=status, text=f"<Error><Code>{code}</Code></Error>", content_type="application/xml")


def _tag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
