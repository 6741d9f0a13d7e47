"""A stand-in for a store that speaks S3, as far as the archive asks: one bucket in memory.

PutObject with If-None-Match and a SHA-256 that is checked, GetObject with Range, HeadObject,
DeleteObject, DeleteObjects, CopyObject, ListObjectsV2, multipart uploads. It checks no signature.
"""

import base64
import hashlib
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import unquote
from xml.sax.saxutils import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

LIST_MAX = 1_000


class Bucket:
    def __init__(self):
        self.objects, self.parts, self.refusing, self.puts = {}, {}, False, 0

    def put(self, key, data):
        self.puts += 1
        self.objects[key] = (data, datetime.now(UTC))

    def age(self, key, when):
        self.objects[key] = (self.objects[key][0], when)


def _xml(name, inner, status=200):
    body = f'<?xml version="1.0"?><{name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{inner}</{name}>'
    return Response(body, status, media_type="application/xml")


def _error(code, status):
    return _xml("Error", f"<Code>{code}</Code>", status)


def _etag(data):
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _told(data, at):
    when = format_datetime(at, usegmt=True)
    return {"ETag": _etag(data), "Last-Modified": when, "Accept-Ranges": "bytes"}


class Answering:
    def __init__(self, bucket):
        self.bucket = bucket

    async def answer(self, request: Request):
        if self.bucket.refusing:
            return _error("AccessDenied", 403)
        key = request.path_params.get("key", "")
        return await getattr(self, f"_{request.method.lower()}")(request, key)

    async def _get(self, request, key):
        if not key:
            return self._list(request.query_params)
        if key not in self.bucket.objects:
            return _error("NoSuchKey", 404)
        data, at = self.bucket.objects[key]
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if found is None:
            return Response(data, headers=_told(data, at))
        start, end = int(found[1]), min(len(data), int(found[2] or len(data)) + 1)
        told = {"Content-Range": f"bytes {start}-{end - 1}/{len(data)}", **_told(data, at)}
        return Response(data[start:end], 206, headers=told)

    async def _head(self, _, key):
        if key not in self.bucket.objects:
            return Response(status_code=404)
        data, at = self.bucket.objects[key]
        return Response(headers={"Content-Length": str(len(data)), **_told(data, at)})

    async def _put(self, request, key):
        data = await request.body()
        source = request.headers.get("x-amz-copy-source")
        if source is not None:
            return self._copy(unquote(source).lstrip("/").partition("/")[2], key)
        told = request.headers.get("x-amz-checksum-sha256")
        if told and base64.b64decode(told) != hashlib.sha256(data).digest():
            return _error("BadDigest", 400)
        upload = request.query_params.get("uploadId")
        if upload is not None:
            self.bucket.parts[upload][int(request.query_params["partNumber"])] = data
        elif request.headers.get("if-none-match") == "*" and key in self.bucket.objects:
            return _error("PreconditionFailed", 412)
        else:
            self.bucket.put(key, data)
        return Response(headers={"ETag": _etag(data)})

    def _copy(self, source, key):
        if source not in self.bucket.objects:
            return _error("NoSuchKey", 404)
        self.bucket.put(key, self.bucket.objects[source][0])
        return _xml("CopyObjectResult", "<ETag>x</ETag>")

    async def _post(self, request, key):
        if "uploads" in request.query_params:
            upload = f"u{len(self.bucket.parts)}"
            self.bucket.parts[upload] = {}
            return _xml("InitiateMultipartUploadResult", f"<UploadId>{upload}</UploadId>")
        upload = request.query_params.get("uploadId")
        if upload is not None:
            parts = self.bucket.parts.pop(upload)
            self.bucket.put(key, b"".join(parts[number] for number in sorted(parts)))
            return _xml("CompleteMultipartUploadResult", '<ETag>"x"</ETag>')
        keys = re.findall(r"<Key>(.*?)</Key>", (await request.body()).decode())
        for one in keys:
            self.bucket.objects.pop(one, None)
        gone = "".join(f"<Deleted><Key>{escape(one)}</Key></Deleted>" for one in keys)
        return _xml("DeleteResult", gone)

    async def _delete(self, _, key):
        self.bucket.objects.pop(key, None)
        return Response(status_code=204)

    def _list(self, asked):
        prefix, after = asked.get("prefix", ""), asked.get("continuation-token", "")
        keys = sorted(k for k in self.bucket.objects if k.startswith(prefix) and k > after)
        shown = keys[:LIST_MAX]
        inner = "".join(self._listed(key) for key in shown)
        is_cut = len(keys) > len(shown)
        more = (
            f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>" if is_cut else ""
        )
        return _xml(
            "ListBucketResult", f"<IsTruncated>{str(is_cut).lower()}</IsTruncated>{more}{inner}"
        )

    def _listed(self, key):
        data, at = self.bucket.objects[key]
        when = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return (
            f"<Contents><Key>{escape(key)}</Key><Size>{len(data)}</Size>"
            f"<LastModified>{when}</LastModified><ETag>{escape(_etag(data))}</ETag></Contents>"
        )


def s3_app(bucket):
    methods = ["GET", "HEAD", "PUT", "POST", "DELETE"]
    answer = Answering(bucket).answer
    routes = [
        Route("/{bucket}", answer, methods=methods),
        Route("/{bucket}/{key:path}", answer, methods=methods),
    ]
    return Starlette(routes=routes)
