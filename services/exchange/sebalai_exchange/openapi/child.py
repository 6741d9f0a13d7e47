"""The child process that reads contracts: `python -m sebalai_exchange.openapi.child`.

Standard input: one line of JSON (`lengths` of the new and the former document, `server`, whether to
compile), then the documents. Standard output: one line of JSON, then the texts it names. The child
limits itself before it reads; its parent kills it when it takes too long.
"""

from __future__ import annotations

import resource
import sys
from typing import Any

CPU_SECONDS = 2
MEMORY_BYTES = 256 * 1024 * 1024


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    limit()
    # Imported under the limit, so that what they hold counts too.
    import orjson  # noqa: PLC0415

    from sebalai_exchange.openapi.canonical import NotPlainJson  # noqa: PLC0415
    from sebalai_exchange.openapi.reading import Unusable  # noqa: PLC0415

    order = orjson.loads(sys.stdin.buffer.readline())
    documents = [sys.stdin.buffer.read(length) for length in order["lengths"]]
    texts: list[bytes] = []
    head: dict[str, Any]
    try:
        head, texts = work(order, documents)
    except Unusable as error:
        head = {"refused": {"pointer": error.pointer, "detail": error.detail}}
    except NotPlainJson as error:
        head = {"refused": {"pointer": "", "detail": str(error)}}
    except (MemoryError, RecursionError):
        head = {"refused": {"pointer": "", "detail": "it is too large to be read in 256 MB"}}
    head["lengths"] = [len(text) for text in texts]
    sys.stdout.buffer.write(orjson.dumps(head) + b"\n")
    for text in texts:
        sys.stdout.buffer.write(text)


def work(order: dict[str, Any], documents: list[bytes]) -> tuple[dict[str, Any], list[bytes]]:
    """Raises: Unusable, NotPlainJson."""
    import orjson  # noqa: PLC0415

    from sebalai_exchange.openapi.breaking import Comparison  # noqa: PLC0415
    from sebalai_exchange.openapi.canonical import parse, spell  # noqa: PLC0415
    from sebalai_exchange.openapi.pack import check_schemas, make_pack  # noqa: PLC0415
    from sebalai_exchange.openapi.reading import Reader  # noqa: PLC0415

    document, is_plain = parse(documents.pop(0))
    reader = Reader(document)
    reader.check_depth()
    reader.check_head()
    operations = reader.operations()
    canonical, digest = spell(document, is_plain=is_plain)
    head: dict[str, Any] = {
        "sha256": digest,
        "version": str(document["info"]["version"])[:100],
        "operations": len(operations),
        "breaks": [],
    }
    if documents:
        former = Reader(parse(documents.pop(0))[0])
        head["breaks"] = Comparison(former, reader).breaks()
    pack = b""
    if order["compile"]:
        made = make_pack(reader, operations)
        head["schemas"] = check_schemas(made)
        pack = orjson.dumps(made)
        del made
    outline = orjson.dumps([[one.method, one.path, one.operation_id] for one in operations])
    return head, [canonical, outline, orjson.dumps(served(document, order["server"])), pack]


def served(document: dict[str, Any], server: str) -> dict[str, Any]:
    """The contract as consumers need it: every call goes to the gateway. Changes `document`."""
    document["servers"] = [{"url": server, "description": "Sebalai"}]
    for item in document["paths"].values():
        if isinstance(item, dict):
            item.pop("servers", None)
            for operation in item.values():  # pyright: ignore[reportUnknownVariableType]
                if isinstance(operation, dict):
                    operation.pop("servers", None)  # pyright: ignore[reportUnknownMemberType]
    return document


if __name__ == "__main__":
    main()
