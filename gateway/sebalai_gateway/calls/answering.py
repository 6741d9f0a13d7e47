"""The provider's answer on its way to the consumer: one chunk behind, measured, checked where that
is asked for. Its last chunk waits for the journal.
"""

from __future__ import annotations

from sebalai_gateway.calls.bodies import Measure
from sebalai_gateway.calls.faults import stream_not_supported
from sebalai_gateway.calls.onward import Exchange
from sebalai_gateway.calls.reply import Reply
from sebalai_gateway.forwarding.forwarder import Answer
from sebalai_gateway.validation.check import Head


async def stream(exchange: Exchange, reply: Reply, answer: Answer) -> bytes:
    """Passes on all but the last chunk, and gives that back.

    Raises: ClientGone, ProviderUnreachable, ProviderTimeout, Refusal.
    """
    call, body, measure, is_whole = exchange.call, exchange.body, Measure(), False
    call.stamp("responded_at")
    if answer.is_endless:
        answer.close(is_complete=False)
        raise stream_not_supported(502)
    try:
        _begin(exchange, answer)
        last = None if exchange.check is not None else answer.rest()
        if last is None:
            last = await _pass(exchange, reply, answer, measure)
        else:
            _note(exchange, measure, last)
        is_whole = True
    finally:
        call.facts["response"] = measure.evidence()
        answer.close(is_complete=is_whole)
    # Only now: an answer may begin before the body it answers has ended.
    call.facts["request"] = body.measure.evidence()
    if exchange.seal is not None:
        exchange.seal.end_answer(measure)
    check = exchange.check
    if check is not None:
        await check.response(answer.status, Head.of(answer.headers))
        return check.answer if check.holds_answer else last
    return last


def _begin(exchange: Exchange, answer: Answer) -> None:
    """What the head of an answer must show, and tells. Raises: Refusal, 502."""
    if exchange.crossing is not None:
        exchange.crossing.note(answer)
    if exchange.seal is not None:
        exchange.seal.begin_answer(answer)


def _note(exchange: Exchange, measure: Measure, chunk: bytes) -> None:
    if chunk:
        measure.add(chunk)
    if exchange.claim is not None:
        exchange.claim.keep(chunk)


async def _pass(exchange: Exchange, reply: Reply, answer: Answer, measure: Measure) -> bytes:
    body, check, held = exchange.body, exchange.check, b""
    # What has come whole is over without another wait.
    while not answer.is_over and (chunk := await answer.read()):
        _note(exchange, measure, chunk)
        if check is not None:
            check.see(chunk)
            if check.holds_answer:
                continue
        if held:
            await reply.chunk(answer, held, is_body_over=body.is_over)
        held = chunk
    return held
