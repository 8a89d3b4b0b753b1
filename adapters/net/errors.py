"""Why a request to another system was not answered."""

from enum import StrEnum


class OutboundCode(StrEnum):
    """Why a request was not answered. Stable, and shown to people."""

    URL = "url"  # not an http(s) URL with a host, or with a user name in it
    SCHEME = "scheme"  # plain http where it is not allowed
    FORBIDDEN_HOST = "forbidden-host"  # not among the configured hosts
    FORBIDDEN_ADDRESS = "forbidden-address"  # the name leads to a private, link-local or otherwise special address
    UNRESOLVED = "unresolved"  # the name leads nowhere
    UNREACHABLE = "unreachable"  # nobody accepts the connection, or it broke
    TLS = "tls"  # the certificate does not fit the name, or is not trusted
    TIMEOUT = "timeout"
    TOO_LARGE = "too-large"  # the answer is larger than the limit
    PROTOCOL = "protocol"  # what came back is no HTTP


class OutboundError(Exception):
    """A request that got no answer, with the reason."""

    def __init__(self, code: OutboundCode, sentence: str) -> None:
        """Keep both; the sentence never holds the query or a credential of the URL."""
        self.code = code
        self.sentence = sentence
        super().__init__(f"{code.value}: {sentence}")
