"""The provider's own few pages: a device's code, its end, the question before signing out. No
script, no image, nothing from elsewhere; Indonesian first, English second.
"""

import base64
import hashlib
from html import escape

from fastapi.responses import HTMLResponse

POLICY = (
    "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
STYLE = (
    "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;"
    "color:#1b1b1b;background:#fff}h1{font-size:1.6rem}label{display:block;margin:.5rem 0}"
    "input{font:inherit;padding:.5rem;width:100%;box-sizing:border-box;letter-spacing:.15em}"
    "button{font:inherit;margin-top:1rem;padding:.6rem 1.2rem;background:#0b4f6c;color:#fff;"
    "border:0;border-radius:.3rem}:focus{outline:3px solid #d98200;outline-offset:2px}"
    "[lang=en]{color:#444}.error{color:#8b0000;font-weight:600}"
)


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    text = (
        f'<!doctype html><html lang="id"><head><meta charset="utf-8">'
        f"<title>{title} · Sebalai</title>"
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    )
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": POLICY.format(hash=digest),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(text, status, headers=headers)


def device_form(code: str, *, is_wrong: bool = False) -> HTMLResponse:
    error = (
        '<p class="error" role="alert" id="wrong">Kode tidak dikenal atau sudah berakhir. '
        '<span lang="en">The code is not known, or has ended.</span></p>'
        if is_wrong
        else ""
    )
    body = (
        "<h1>Sambungkan perangkat</h1><p>Masukkan kode yang tampil di perangkat di depan Anda. "
        "Jangan masukkan kode yang dikirim orang lain.</p>"
        '<p lang="en">Enter the code shown on the device in front of you. '
        "Never enter a code that somebody sent you.</p>"
        f'{error}<form method="post" action="/device"><label for="code">Kode / '
        '<span lang="en">Code</span></label><input id="code" name="user_code" required '
        f'autocomplete="off" autocapitalize="characters" maxlength="20" value="{escape(code)}">'
        "<button>Lanjutkan / Continue</button></form>"
    )
    return _page("Sambungkan perangkat", body, 400 if is_wrong else 200)


def device_done() -> HTMLResponse:
    body = (
        "<h1>Selesai</h1><p>Anda boleh menutup halaman ini dan kembali ke perangkat.</p>"
        '<p lang="en">You may close this page and return to the device.</p>'
    )
    return _page("Selesai", body)


def ask_sign_out(mark: str, kept: dict[str, str]) -> HTMLResponse:
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in (kept | {"mark": mark}).items()
    )
    body = (
        "<h1>Keluar dari Sebalai?</h1><p>Sebuah aplikasi meminta Anda keluar dari semua layanan "
        'yang memakai masuk ini.</p><p lang="en">An application asks to sign you out of every '
        f'service that uses this sign-in.</p><form method="post" action="/oauth/logout">{fields}'
        "<button>Keluar / Sign out</button></form>"
    )
    return _page("Keluar", body)


def signed_out() -> HTMLResponse:
    body = '<h1>Anda sudah keluar</h1><p lang="en">You are signed out.</p>'
    return _page("Keluar", body)
