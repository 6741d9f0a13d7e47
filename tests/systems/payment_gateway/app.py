"""A stand-in for a bank's payment gateway, in the shape of SNAP: virtual accounts and notices.

It shares no code with the adapter that it answers. `POST create-va` and `DELETE delete-va` answer
401 to a wrong signature, 503 while `down`, 400 for a code in `refused`, 409 to a second order.
With `public_key` it asks for SNAP's access token (B2B), each good for `token_calls` calls.
`POST qr-mpm-generate` gives a QRIS code, once a number, as `spoil` leaves it.
`notice` and `qris_notice` give a signed notice of a payment, to be sent as it is.
"""

import base64
import binascii
import hashlib
import hmac
import json
from datetime import datetime, timedelta, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

WIB = timezone(timedelta(hours=7))


def sign(secret, method, path, body, at, token=""):
    document = json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(document.encode()).hexdigest()
    text = f"{method}:{path}:{token}:{digest}:{at}".encode()
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha512).digest()).decode()


def notice(secret, path, code, rupiah, reference, at):
    """Body and headers of `transfer-va/payment`, with white space as some banks write it."""
    document = {
        "partnerServiceId": "   98765",
        "customerNo": code,
        "virtualAccountNo": f"   98765{code}",
        "virtualAccountName": 'Ibu "Sinta" Rahayu',
        "trxId": code,
        "paymentRequestId": reference,
        "paidAmount": {"value": f"{rupiah}.00", "currency": "IDR"},
    }
    body = json.dumps(document, indent=1, ensure_ascii=False).encode()
    stamp = at.astimezone(WIB).isoformat(timespec="seconds")
    headers = {
        "Content-Type": "application/json",
        "X-TIMESTAMP": stamp,
        "X-SIGNATURE": sign(secret, "POST", path, body, stamp),
        "X-EXTERNAL-ID": "41807553358950093184162180797837",
        "CHANNEL-ID": "95221",
    }
    return {"content": body, "headers": headers}


def qris(reference, value, mode="12", currency="360"):
    """A code as an acquirer writes it: EMVCo's objects, its checksum by the standard library."""

    def part(name, text):
        return f"{name}{len(text):02d}{text}"

    merchant = part("00", "ID.CO.BANK.WWW") + part("01", "936000010000000001")
    body = (
        part("00", "01") + part("01", mode) + part("26", merchant) + part("52", "9399")
        + part("53", currency) + part("54", value) + part("58", "ID")
        + part("59", "KAS DAERAH UJI") + part("60", "PANGKALPINANG")
        + part("62", part("01", reference)) + "6304"
    )  # fmt: skip
    return body + f"{binascii.crc_hqx(body.encode(), 0xFFFF):04X}"


def qris_notice(secret, path, code, rupiah, payment, at, status="00"):  # noqa: PLR0917
    """Body and headers of `qr-mpm-notify`."""
    document = {
        "originalReferenceNo": payment,
        "originalPartnerReferenceNo": code,
        "latestTransactionStatus": status,
        "transactionStatusDesc": "Success",
        "customerNumber": "6281200000000",
        "amount": {"value": f"{rupiah}.00", "currency": "IDR"},
    }
    body = json.dumps(document).encode()
    stamp = at.astimezone(WIB).isoformat(timespec="seconds")
    headers = {"Content-Type": "application/json", "X-TIMESTAMP": stamp}
    return {"content": body, "headers": headers | {
        "X-SIGNATURE": sign(secret, "POST", path, body, stamp),
    }}  # fmt: skip


def gives_tokens(app):
    """SNAP's access token, where the stand-in has a public key to ask for it with."""

    @app.post("/v1.0/access-token/b2b")
    async def give(request: Request):
        headers = request.headers
        signed = f"{headers['x-client-key']}|{headers['x-timestamp']}".encode()
        try:
            app.state.public_key.verify(
                base64.b64decode(headers["x-signature"]), signed, padding.PKCS1v15(), SHA256()
            )
        except InvalidSignature:
            return JSONResponse({"responseCode": "4017300"}, 401)
        token = f"t{len(app.state.tokens) + 1}"
        app.state.tokens[token] = app.state.token_calls
        answer = {"accessToken": token, "tokenType": "Bearer", "expiresIn": "900"}
        return JSONResponse(answer | {"responseCode": "2007300"})


def token_of(app, headers):
    """The token that the call shows; none where none is asked for; a wrong one is no token."""
    if app.state.public_key is None:
        return ""
    token = headers.get("authorization", "").removeprefix("Bearer ")
    left = app.state.tokens.get(token, 0)
    app.state.tokens[token] = left - 1
    return token if left > 0 else None


def gateway_app(secret):
    app = FastAPI()
    app.state.accounts, app.state.closed, app.state.orders = {}, set(), []
    app.state.refused, app.state.down, app.state.silent = set(), False, False
    app.state.public_key, app.state.token_calls, app.state.tokens = None, 100, {}
    app.state.codes, app.state.spoil = [], lambda content: content
    gives_tokens(app)

    async def read(request):
        body = await request.body()
        headers = request.headers
        token, at = token_of(app, headers), headers["x-timestamp"]
        if token is None:
            return None, JSONResponse({"responseCode": "4012701"}, 401)
        expected = sign(secret, request.method, request.url.path, body, at, token)
        if app.state.down:
            return None, JSONResponse({"responseCode": "5032700"}, 503)
        if headers["x-signature"] != expected or headers["x-partner-id"] != "SEBALAI":
            return None, JSONResponse({"responseCode": "4012700"}, 401)
        datetime.fromisoformat(headers["x-timestamp"])
        return json.loads(body), None

    @app.post("/v1.0/transfer-va/create-va")
    async def create(request: Request):
        order, refusal = await read(request)
        if refusal is not None:
            return refusal
        app.state.orders.append(order)
        code = order["trxId"]
        if code in app.state.refused:
            return JSONResponse({"responseCode": "4002701"}, 400)
        if code in app.state.accounts:
            return JSONResponse({"responseCode": "4092701"}, 409)
        app.state.accounts[code] = order["virtualAccountNo"]
        if app.state.silent:
            return JSONResponse({}, 200)
        answer = {"virtualAccountData": order, "responseCode": "2002700"}
        return JSONResponse(answer)

    @app.post("/v1.0/qr/qr-mpm-generate")
    async def generate(request: Request):
        order, refusal = await read(request)
        if refusal is not None:
            return refusal
        app.state.orders.append(order)
        known = [one["partnerReferenceNo"] for one in app.state.codes]
        if order["merchantId"] != "ID1026000001" or order["partnerReferenceNo"] in known:
            return JSONResponse({"responseCode": "4004702"}, 400)
        app.state.codes.append(order)
        content = app.state.spoil(qris(order["partnerReferenceNo"], order["amount"]["value"]))
        answer = {"responseCode": "2004700", "referenceNo": f"R{len(known)}", "qrContent": content}
        return JSONResponse(answer)

    @app.delete("/v1.0/transfer-va/delete-va")
    async def delete(request: Request):
        order, refusal = await read(request)
        if refusal is not None:
            return refusal
        app.state.closed.add(order["trxId"])
        return JSONResponse({"responseCode": "2003100"})

    return app
