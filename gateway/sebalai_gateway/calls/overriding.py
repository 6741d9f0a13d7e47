"""Headers that make another request of the one that was allowed, or speak for whoever answers.

Of a request: servers let themselves be told another method, path or caller by them, so that what a
rule allowed would not be what the provider does. Of an answer: they are about the whole origin,
which is the gateway's and not one provider's. Names in lower case.
"""

OVERRIDING = frozenset(
    {
        # Rails, Symfony, Spring, Express and others do what these say instead of the method.
        b"x-http-method", b"x-http-method-override", b"x-method-override",
        # IIS, Zend and Symfony serve the path these say instead of the one asked for.
        b"x-original-url", b"x-original-uri", b"x-original-method", b"x-rewrite-url",
        # What a proxy says of the call before it (the usual three stand in `headers`).
        b"x-forwarded", b"x-forwarded-by", b"x-forwarded-client-cert", b"x-forwarded-email",
        b"x-forwarded-groups", b"x-forwarded-method", b"x-forwarded-path", b"x-forwarded-port",
        b"x-forwarded-prefix", b"x-forwarded-scheme", b"x-forwarded-server", b"x-forwarded-ssl",
        b"x-forwarded-uri", b"x-forwarded-user", b"remote-user", b"x-remote-user", b"x-client-ip",
        b"x-cluster-client-ip", b"true-client-ip",
    }
)  # fmt: skip
OF_THE_ORIGIN = frozenset(
    {
        b"alt-svc", b"clear-site-data", b"nel", b"report-to", b"reporting-endpoints",
        b"service-worker-allowed", b"strict-transport-security",
    }
)  # fmt: skip
