"""Drives Chromium by its own protocol (CDP), as much of it as these tests need."""

import asyncio
import base64
import itertools
import json
from pathlib import Path

from websockets.asyncio.client import connect

ANSWER_SECONDS = 30
FRAME_BYTES_MAX = 64 * 1024 * 1024
POLL_SECONDS = 0.05


class Failed(Exception):
    """The browser refused a command, or a script on the page threw."""


class Tab:
    """One tab of a browser context of its own: no cookie of another test is in it."""

    def __init__(self, socket):
        self._socket, self._numbers = socket, itertools.count(1)
        self._waiting, self._session = {}, None
        self.told = []
        self._reader = asyncio.ensure_future(self._read())

    @classmethod
    async def open(cls, address):
        tab = cls(await connect(address, max_size=FRAME_BYTES_MAX, proxy=None))
        context = await tab.send("Target.createBrowserContext")
        target = await tab.send(
            "Target.createTarget", url="about:blank", browserContextId=context["browserContextId"]
        )
        attached = await tab.send(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        tab._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await tab.send(f"{domain}.enable")
        return tab

    async def close(self):
        self._reader.cancel()
        await self._socket.close()

    async def send(self, method, **parameters):
        number = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        await self._socket.send(json.dumps(message))
        async with asyncio.timeout(ANSWER_SECONDS):
            return await answer

    async def _read(self):
        async for text in self._socket:
            message = json.loads(text)
            answer = self._waiting.pop(message.get("id"), None)
            if answer is None:
                self.told.append((message.get("method"), message.get("params")))
            elif "error" in message:
                answer.set_exception(Failed(message["error"]["message"]))
            else:
                answer.set_result(message["result"])

    async def run(self, script):
        """The value of a script on the page; a promise is awaited."""
        done = await self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in done:
            raise Failed(json.dumps(done["exceptionDetails"])[:500])
        return done["result"].get("value")

    async def until(self, script, what):
        """Waits for a condition on the page, also across navigations."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                try:
                    if await self.run(f"document.readyState === 'complete' && !!({script})"):
                        return
                except Failed:
                    pass  # the page is just being replaced
                await asyncio.sleep(POLL_SECONDS)
        raise AssertionError(what)

    async def go(self, url):
        await self.send("Page.navigate", url=url)
        await self.until(f"location.href.split('#')[0] === {json.dumps(url)}", url)

    async def arrives(self, path):
        await self.until(f"location.pathname === {json.dumps(path)}", path)

    async def fill(self, name, value):
        await self.run(f"document.querySelector('[name={name}]').value = {json.dumps(value)}")

    async def press(self, words):
        """Clicks the button or link that shows these words."""
        found = await self.run(
            "(() => { const found = [...document.querySelectorAll('button, a')].find((e) =>"
            f" e.offsetParent && e.textContent.trim() === {json.dumps(words)});"
            " if (found) found.click(); return !!found })()"
        )
        assert found, f"nothing to press that says {words}"

    async def text(self):
        return await self.run("document.body.innerText")

    async def size(self, width, height=900):
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    async def scheme(self, name):
        features = [{"name": "prefers-color-scheme", "value": name}]
        await self.send("Emulation.setEmulatedMedia", features=features)

    async def picture(self, path: Path):
        shot = await self.send("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    async def authenticator(self):
        """A device with a key store and a user who always agrees."""
        await self.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = await self.send("WebAuthn.addVirtualAuthenticator", options=options)
        return made["authenticatorId"]

    def complaints(self):
        """What the page's own policy or scripts complained of."""
        return [
            params["entry"]["text"]
            for method, params in self.told
            if method == "Log.entryAdded" and params["entry"]["level"] == "error"
            and params["entry"]["source"] in ("security", "javascript")
        ]  # fmt: skip
