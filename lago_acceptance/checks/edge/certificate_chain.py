"""What is wrong with the certificates of one handshake, their dates aside."""

from __future__ import annotations

from lago_acceptance.checks.edge.bodies import Defect
from lago_acceptance.checks.edge.proxy_words import words
from lago_acceptance.probes.tls import Handshake

DEFAULT_CERTIFICATE = "TRAEFIK DEFAULT CERT"
# In the subject or issuer of certificates that a proxy makes for itself where it has none for a name.
_OWN = (DEFAULT_CERTIFICATE, "Caddy Local Authority", "letsencrypt-nginx-proxy-companion", "acme-companion")

# Numbers of OpenSSL's X509_V_ERR_*.
EXPIRED = 10
_DATES = {9, EXPIRED}
_SELF_SIGNED = {18, 19}
_NO_ISSUER = {2, 20, 21}

REFUSED = "browsers and the gateway refuse to connect"


def defect(handshake: Handshake, proxy: str) -> Defect | None:
    """The worst defect of the chain that was sent, or None. ``proxy`` is the kind of the proxy."""
    certificate = handshake.chain[0]
    errors = {number for number, _ in handshake.problems} - _DATES
    if certificate.defect:
        return (
            "certificate-unreadable",
            f"the certificate is malformed and can't be read ({certificate.defect})",
            REFUSED,
            "have the CA issue a new one: `openssl x509 -noout -text` shows what is in it",
        )
    names = certificate.issuer + certificate.subject
    if own := next((each for each in _OWN if each in names), ""):
        return (
            "certificate-default",
            f"{words(proxy).name} serves a certificate of its own making ({own}): it has none for this name",
            REFUSED,
            words(proxy).certificate,
        )
    if not handshake.names_host:
        return (
            "certificate-name",
            f"the certificate is for {', '.join(certificate.names[:5]) or 'no host at all'}, not for this name",
            REFUSED,
            words(proxy).naming,
        )
    return _of_issuers(handshake, errors, proxy) if errors else None


def _of_issuers(handshake: Handshake, errors: set[int], proxy: str) -> Defect:
    last = handshake.chain[-1]
    if errors & _SELF_SIGNED:
        return (
            "certificate-self-signed",
            f"the certificate chain ends in a self-signed certificate ({last.subject}) that is not trusted",
            REFUSED,
            words(proxy).certificate,
        )
    if errors & _NO_ISSUER and len(handshake.chain) == 1:
        return (
            "certificate-chain-incomplete",
            f"the server sends only its own certificate, and the issuer ({last.issuer}) is not a trusted root",
            f"{REFUSED}; only browsers that happen to have the intermediate cached connect",
            "serve the full chain (fullchain.pem) instead of the certificate alone; if the issuer is your own CA, "
            "trust it",
        )
    return (
        "certificate-untrusted",
        f"the certificate chain, issued by {last.issuer or 'an unreadable certificate'}, does not end in a trusted "
        f"root (OpenSSL error {', '.join(map(str, sorted(errors)))})",
        REFUSED,
        words(proxy).staging,
    )
