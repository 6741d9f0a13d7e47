"""The mutations that the checks of registration see; the form is that of `mutations`."""

HTTP = "oauth/client_published.py"
PAGE = "web/templates/consent.html"

MUTATIONS = [
    ("applications/clients.py", r"""for sign in " \\#*")""", 'for sign in " *")',
     ["oidcc-redirect-uri-regfrag"]),
    (HTTP, "metadata.jwks if address is None else await desk.documents.read(address)",
     "metadata.jwks", ["oidcc-registration-jwks-uri"]),
    (PAGE, 'src="{{ client.logo_uri }}"', 'src=""', ["oidcc-registration-logo-uri"]),
    (PAGE, 'href="{{ client.policy_uri }}"', 'href=""', ["oidcc-registration-policy-uri"]),
    (PAGE, 'href="{{ client.tos_uri }}"', 'href=""', ["oidcc-registration-tos-uri"]),
    (HTTP, "any(uri not in listed for uri in metadata.redirect_uris)", "False",
     ["oidcc-registration-sector-bad"]),
    ("applications/clients.py", "        first = self.sector_identifier_uri or first\n", "",
     ["oidcc-registration-sector-uri"]),
    ("oauth/client_keys.py", "if address is None or not", "if address is not None or not",
     ["oidcc-refresh-token-rp-key-rotation"]),
]  # fmt: skip
