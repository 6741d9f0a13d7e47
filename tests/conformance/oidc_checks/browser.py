"""A person's browser as far as a check needs one: cookies, redirects, forms. It knows no product:
it fills in whatever page has a password, agrees where it is asked, and stops where the provider
sends it away.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

HOPS_MAX = 16
ROUND = "sent round and round"
LOGIN_FIELDS = ("login", "username", "user")


@dataclass(frozen=True)
class Landing:
    """Where the browser stands: at the client (`parameters` of the answer) or on a page."""

    url: str
    status: int
    text: str
    is_at_client: bool

    @property
    def parameters(self):
        pairs = parse_qsl(urlsplit(self.url).query, keep_blank_values=True)
        assert len(dict(pairs)) == len(pairs), f"a parameter twice: {self.url}"
        return dict(pairs)

    @property
    def address(self):
        return self.url.partition("?")[0].rstrip("#")


@dataclass
class Form:
    action: str
    method: str
    fields: dict = field(default_factory=dict)
    kinds: dict = field(default_factory=dict)
    buttons: list = field(default_factory=list)
    ident: str = ""


class Forms(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.forms, self.links, self._open = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(found.get("action", ""), found.get("method", "get").lower())
            self._open.ident = found.get("id", "")
            self.forms.append(self._open)
        elif tag == "a":
            self.links.append(found.get("href", ""))
        elif tag in {"input", "button"}:
            self._control(tag, found)

    def _control(self, tag, found):
        """Of the form around it, or of the one it names."""
        named = [form for form in self.forms if form.ident and form.ident == found.get("form")]
        form = named[0] if named else self._open
        kind = found.get("type", "submit" if tag == "button" else "text")
        if form is None:
            return
        if kind == "submit":
            form.buttons.append((found.get("name", ""), found.get("value", "")))
        elif "name" in found:
            form.fields[found["name"]] = found.get("value", "")
            form.kinds[found["name"]] = kind

    def handle_endtag(self, tag):
        if tag == "form":
            self._open = None


class Browser:
    """`sign_ins`: how often a password was typed. `refuses`: cancels at the first page it sees.
    `looks`: stops at the first page of the provider and does nothing there.
    """

    def __init__(self, transport, issuer, login, password):
        self._http = httpx.AsyncClient(transport=transport, timeout=20)
        self._origin = urlsplit(issuer)[:2]
        self._login, self._password = login, password
        self.sign_ins, self.agreements = 0, 0
        self.refuses = self.looks = False

    async def visit(self, url, form=None):
        """Goes on until it is sent away or no page asks for anything more."""
        answer = await self._ask("GET" if form is None else "POST", url, form)
        for _ in range(HOPS_MAX):
            if "location" in answer.headers:
                url = urljoin(str(answer.url), answer.headers["location"])
                if urlsplit(url)[:2] != self._origin:
                    return Landing(url, answer.status_code, "", is_at_client=True)
                answer = await self._ask("GET", url)
                continue
            filled = None if self.looks else self._fill(answer)
            if filled is None:
                return Landing(str(answer.url), answer.status_code, answer.text, is_at_client=False)
            answer = await self._ask(*filled)
        return Landing(str(answer.url), 200, ROUND, is_at_client=False)

    async def _ask(self, method, url, form=None):
        answer = await self._http.request(method, url, data=form)
        assert answer.status_code < 500, f"{answer.status_code} of {url}: {answer.text[:300]}"
        return answer

    def _fill(self, answer):
        """(method, url, form) of the next step, or None where the page asks nothing."""
        if answer.status_code != 200:
            return None
        page = Forms(answer.text)
        here = str(answer.url)
        if self.refuses:
            return self._refuse(page, here)
        for form in page.forms:
            if "password" in form.kinds.values():
                self.sign_ins += 1
                return "POST", urljoin(here, form.action), self._credentials(form)
        for form in page.forms:
            agreed = [one for one in form.buttons if one[1] != "decline"]
            if form.method == "post" and agreed and urlsplit(here).path != "/sign-out":
                self.agreements += 1
                name, value = agreed[0]
                return (
                    "POST",
                    urljoin(here, form.action),
                    form.fields | ({name: value} if name else {}),
                )
        return None

    def _credentials(self, form):
        filled = dict(form.fields)
        for name, kind in form.kinds.items():
            if kind == "password":
                filled[name] = self._password
            elif name in LOGIN_FIELDS:
                filled[name] = self._login
        return filled

    @staticmethod
    def _refuse(page, here):
        for form in page.forms:
            if form.action.endswith("/refuse"):
                return "POST", urljoin(here, form.action), form.fields
            for name, value in form.buttons:
                if value == "decline":
                    return "POST", urljoin(here, form.action), form.fields | {name: value}
        for link in page.links:
            if link.endswith("/abort"):
                return "GET", urljoin(here, link), None
        return None
