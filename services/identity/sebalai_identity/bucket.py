"""The NATS KV bucket of snapshots, where values ring at gateways. Owns its making and one put."""

import orjson
from sebalai_shared.broker import ApiError, Broker, Sending
from sebalai_shared.ids import uuid7

STREAM = "KV_SNAPSHOTS"
SUBJECT_PREFIX = "$KV.SNAPSHOTS."
MESSAGE_BYTES_MAX = 1024 * 1024
ERR_STREAM_NOT_FOUND = 10059

# As NATS clients make a bucket; a stream made so is a bucket to every one of them.
BUCKET = {
    "name": STREAM,
    "subjects": [f"{SUBJECT_PREFIX}>"],
    "storage": "file",
    "retention": "limits",
    "discard": "new",
    "max_msgs_per_subject": 1,
    "max_msg_size": MESSAGE_BYTES_MAX,
    "num_replicas": 1,
    "allow_direct": True,
    "allow_rollup_hdrs": True,
    "deny_delete": True,
}


async def ensure(broker: Broker) -> None:
    """Raises `ApiError`, `BrokerUnavailable`."""
    try:
        await broker.api(f"STREAM.INFO.{STREAM}")
    except ApiError as error:
        if error.code != ERR_STREAM_NOT_FOUND:
            raise
        await broker.api(f"STREAM.CREATE.{STREAM}", BUCKET)


async def put(broker: Broker, key: str, value: object) -> None:
    """Raises `ApiError`, `BrokerUnavailable`."""
    body = orjson.dumps(value)
    await broker.publish(Sending(SUBJECT_PREFIX + key, uuid7().hex, body, {}))
