"""Which certificates are trusted: those of the usual variables, else the system's and Mozilla's."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

import httpx

from reconciler.platform.errors import PlatformError

_OPENSSL = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Of OpenSSL; httpx, Go and with it the Terraform provider heed them too. Both may be set."""
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Of requests and curl: a file or a folder; what many companies set up. Looked at when OpenSSL's are not set."""


def tls_context(environ: Mapping[str, str]) -> ssl.SSLContext:
    """Verifies certificates and host names, always.

    Raises:
        PlatformError: a variable names something that holds no certificates.
    """
    named = trust_variables(environ)
    if not named:
        context = httpx.create_ssl_context(trust_env=False)
        # Where a company installs its CA for all programs of a machine.
        context.load_default_certs()
        return context
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for variable, path in named.items():
        try:
            if path.is_dir():
                context.load_verify_locations(capath=path)
            else:
                context.load_verify_locations(cafile=path)
        except OSError as error:  # ssl.SSLError is one
            raise PlatformError(
                f"{variable} names {path}, from which no CA certificates can be read: {error.strerror or error}.",
                remedy=f"Let {variable} name a file of certificates in PEM form, or unset it.",
                sent=False,
            ) from None
    return context


def trust_variables(environ: Mapping[str, str]) -> dict[str, Path]:
    """The variables that say which certificates are trusted; empty when none does."""
    given = [name for name in _OPENSSL if environ.get(name)] or [name for name in _BUNDLES if environ.get(name)][:1]
    return {name: Path(environ[name]) for name in given}
