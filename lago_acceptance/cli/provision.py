"""``lago-acceptance provision [OPTION...] [FOLDER]``: .env.lago and the RSA key of a deployment's folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lago_acceptance.cli import Parser
from lago_acceptance.core.permit import Permit


def run(given: Sequence[str]) -> int:
    """Call provision.sh for a folder, by default the current one; returns its exit code."""
    from lago_acceptance.deploy.provision import provision

    parser = Parser(
        prog="lago-acceptance provision",
        description="Makes .env.lago and lago_rsa_private.pem in a folder, and keeps the key and the secrets that are "
        "in use there. The exit code is 1 if the key or a secret can't be settled; then nothing is written.",
    )
    parser.add_argument(
        "folder", nargs="?", default=".", metavar="FOLDER", help="the deployment's folder (default: this one)"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--key-from",
        metavar="FILE",
        help="take the RSA key from FILE: a PEM, base64 of one, an env file or a compose file",
    )
    which.add_argument(
        "--new-key", action="store_true", help="generate a new RSA key although an old one is or was in use"
    )
    options = parser.parse_args(given)
    chosen = ["--key-from", options.key_from] if options.key_from is not None else []
    ended = provision(
        [*chosen, *(["--new-key"] if options.new_key else []), options.folder], Permit("provision")
    )
    print(ended.output, end="", file=sys.stderr)
    return ended.code
