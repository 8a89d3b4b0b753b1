"""The one error of signing, apart from what raises it: naming it must not load the cryptography."""


class SigningError(Exception):
    """The key or the certificate to sign with cannot be used; the text says which and why."""
