"""What a text loses because it looks secret, and what it keeps."""

from __future__ import annotations

import base64
import secrets
import string
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lago_acceptance.core.secrets import excerpt, redact


def made(alphabet: str = string.ascii_letters + string.digits, size: int = 20) -> str:
    """A secret that was never seen before."""
    return "s" + "".join(secrets.choice(alphabet) for _ in range(size))


def mixed() -> str:
    """The same, never of letters alone: in an error's quotes those may be the name of anything."""
    return f"{made(size=10)}7{made(size=10)}"


# Each with the place of the secret, and what must still be read.
LEAKS = {
    "a URL's password": ("postgres://lago:@HERE@@db:5432/lago refused", "@db:5432/lago refused"),
    "a URL's, with an @": ("postgres://lago:p@@HERE@@db:5432/lago", "@db:5432/lago"),
    "a URL's, with a quote": ('postgres://lago:a"@HERE@@db/lago', "@db/lago"),
    "a URL's, with a bracket": ("postgres://lago:a<b@HERE@@db/lago", "@db/lago"),
    "a URL's, with a blank": ("could not reach postgres://lago:two @HERE@@db:5432", "could not reach"),
    "a URL's, with a slash": ("redis://:a/@HERE@@redis:6379/0", "@redis:6379/0"),
    "a URL's, after a mail address": ("smtp://me@example.com:@HERE@@mail:587", "@mail:587"),
    "a URL's, in JSON": ('{"url":"postgres://lago:@HERE@@db/lago","ok":true}', '@db/lago","ok":true}'),
    "a URL's token": ("https://@HERE@@github.com/x.git", "@github.com/x.git"),
    "a query": ("GET /v1/plans?api_key=@HERE@&page=2 401", "&page=2 401"),
    "a later part of a query": ("GET /x?page=2&token=@HERE@ HTTP/1.1", "GET /x?page=2&token="),
    "an access token": ("callback#access_token=@HERE@&state=3", "&state=3"),
    "a form": ("user[password]=@HERE@&commit=Go", "&commit=Go"),
    "an encoded form": ("user%5Bpassword%5D=@HERE@&commit=Go", "&commit=Go"),
    "a shell's trace": ("+ export DB_PWD=@HERE@", "+ export DB_PWD="),
    "a shell's trace, quoted": ("+ export 'DB_PWD=two words @HERE@'", "+ export"),
    "a shell's trace of a command": ("+ psql postgres://lago:@HERE@@db/lago -c 'select 1'", "-c 'select 1'"),
    "a variable before a command": ("PGPASSWORD=@HERE@ psql -h db", "psql -h db"),
    "a declaration": ('declare -x SMTP_PASSWD="@HERE@"', "declare -x SMTP_PASSWD="),
    "an array of variables": ('["RAILS_ENV=production","APP_HMAC=@HERE@","A=1"]', '"A=1"]'),
    "a name in small letters": ("smtp_password=@HERE@", "smtp_password="),
    "JSON": ('{"password": "@HERE@", "email": "a@b.c"}', '"email": "a@b.c"}'),
    "compact JSON": ('{"password":"@HERE@","email":"a"}', '"email":"a"}'),
    "JSON with a quote in it": (r'{"password":"a\"@HERE@","email":"a"}', '"email":"a"}'),
    "escaped JSON": (r'"{\"password\":\"@HERE@\",\"email\":\"a\"}"', r"\"email\":\"a\""),
    "twice escaped JSON": (r"{\\\"client_secret\\\": \\\"@HERE@\\\", \\\"a\\\": 1}", r"\\\"a\\\": 1"),
    "an error that quotes it": ("KeyError: '@HERE@' in plans", "in plans"),
    "JSON that was cut": ('{"email":"a","password":"@HERE@', '{"email":"a",'),
    "Ruby": ('{"user"=>{"password"=>"@HERE@", "email"=>"a"}}', '"email"=>"a"'),
    "Ruby's symbols": ('Parameters: {:password=>"@HERE@", :page=>2}', ":page=>2"),
    "Ruby's new hashes": ('create(email: "a", password: "@HERE@", page: 2)', "page: 2)"),
    "Python": ("{'api_key': '@HERE@', 'page': 2}", "'page': 2}"),
    "YAML": ("  password: @HERE@\n  user: lago", "user: lago"),
    "YAML of letters": ("  password: @LETTERS@\n  user: lago", "user: lago"),
    "an ini file": ("[db]\npassword = @HERE@\nuser = lago", "user = lago"),
    "XML": ("<user>lago</user><password>@HERE@</password>", "<user>lago</user>"),
    "libpq": ("host=db user=lago password=@HERE@ dbname=lago", "dbname=lago"),
    "libpq, quoted": ("host=db password='two @HERE@' dbname=lago", "dbname=lago"),
    "ODBC": ("Driver={PostgreSQL};Server=db;Uid=lago;Pwd=@HERE@;Database=x", "Server=db;Uid=lago"),
    "a cookie": ("Cookie: theme=dark; _lago_session=@HERE@; a=@HERE@\nHost: x", "Host: x"),
    "a cookie that is set": ("set-cookie: sid=@HERE@; HttpOnly", "set-cookie: "),
    "basic authorization": ("Authorization: Basic @BASIC@", "Authorization: Basic"),
    "basic authorization, alone": ("curl -H 'Proxy: Basic @BASIC@'", "curl"),
    "bearer authorization": ('"authorization": "Bearer @HERE@"', "authorization"),
    "a token's authorization": ("HTTP_AUTHORIZATION=>Token token=@HERE@", "HTTP_AUTHORIZATION"),
    "a header": ("X-Api-Key: @HERE@", "X-Api-Key:"),
    "a header of letters": ("> X-Auth-Token: @LETTERS@", "X-Auth-Token:"),
    "redis-cli": ("redis-cli -h redis -a @HERE@ ping", "ping"),
    "redis-cli, as words": ('["redis-cli","-a","@HERE@","ping"]', '"ping"]'),
    "a server's option": ("redis-server --requirepass @HERE@ --appendonly yes", "--appendonly yes"),
    "a server's option of letters": (
        "redis-server --requirepass @LETTERS@ --appendonly yes",
        "--appendonly yes",
    ),
    "a server's option, as words": ('["redis-server","--requirepass","@HERE@","--save",""]', '"--save"'),
    "an option of letters": ("tool --api-key @LETTERS@ --verbose", "--verbose"),
    "an option with =": ("tool --api-token=@HERE@ --verbose", "--verbose"),
    "redis.conf": ("requirepass @HERE@\nmaxmemory 1gb", "maxmemory 1gb"),
    "mysql": ("mysql -h db -uroot -p@HERE@ lago", "mysql -h db -uroot"),
    "curl": ("curl -s -u admin:@HERE@ https://x/y", "https://x/y"),
    "sshpass": ("sshpass -p @HERE@ ssh root@x", "ssh root@x"),
}
READABLE = [
    "password=<secret>",
    "the file has key=value pairs",
    "primary key (id)",
    "KeyError: 'subscriptions'",
    'JWT::DecodeError: "segments"',
    "duplicate key value violates unique constraint. Key (email)=(a@b.c) already exists.",
    "token expired",
    "invalid token: expired",
    "KEY_PATH=/run/secrets/key.pem",
    "unknown attribute 'password' for User",
    'Parameters: {"user"=>{"password"=>"[FILTERED]"}}',
    "Access-Control-Allow-Headers: Authorization, X-Api-Key, Content-Type",
    "Access-Control-Allow-Credentials: true",
    "OpenSSL::PKey::RSAError: Neither PUB key nor PRIV key: nested asn1 error",
    "app/models/api_key.rb:15:in `block in <class:ApiKey>'",
    "railties.rb:656:in `validate_secret_key_base': Missing `secret_key_base` for 'production' environment",
    "http://web:3000 failed, write to admin@example.com",
    '{"url":"http://api:3000","mail":"a@b.c"}',
    "max_tokens: 4096",
    "SMTP_AUTH=plain AUTHOR=somebody",
    "write POSTGRES_PASSWORD=${POSTGRES_PASSWORD:?} instead",
    "${LAGO_RSA_PRIVATE_KEY:?base64 of the PEM}",
    "set LAGO_ORG_API_KEY=true",
    "POSTGRES_PASSWORD=$(openssl rand -hex 24)",
    "Bearer token missing; Basic auth is off",
    "DSN=https://example.com/1",
    "PWD=/app OLDPWD=/",
    "sort_key=created_at&page=2",
    "--requirepass is missing",
    "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem",
    "curl --cert a.pem --key client.pem https://x/y",
    "Redis does not answer with Lago's own password: NOAUTH Authentication required",
    "<label>Password</label><input name=password>",
    "postgres://lago:<secret:3:default:4>@db/lago",
    "POSTGRES_PASSWORD=given-at-deploy-postgres-password",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n" * 4,
    "GET /assets/index-D4x.js",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "/usr/local/bundle/ruby/330/gems/LagoGems/lib/things/ActiveRecord/V1/Thing",
]


@pytest.mark.parametrize("where", LEAKS)
def test_a_secret_is_taken_out_and_the_rest_is_left(where):
    text, left = LEAKS[where]
    secret, letters = mixed(), made(string.ascii_lowercase)
    basic = base64.b64encode(f"lago:{secret}".encode()).decode()
    redacted = redact(text.replace("@HERE@", secret).replace("@LETTERS@", letters).replace("@BASIC@", basic))
    assert not any(each in redacted for each in (secret[1:], letters, basic)), redacted
    assert left in redacted
    assert redact(redacted) == redacted


@pytest.mark.parametrize("text", READABLE)
def test_what_is_no_secret_stays_readable(text):
    assert redact(text) == text


def pem(kind: str) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    formats = {
        "pkcs1": serialization.PrivateFormat.TraditionalOpenSSL,
        "pkcs8": serialization.PrivateFormat.PKCS8,
        "openssh": serialization.PrivateFormat.OpenSSH,
        "encrypted": serialization.PrivateFormat.PKCS8,
    }
    locked = (
        serialization.BestAvailableEncryption(b"x") if kind == "encrypted" else serialization.NoEncryption()
    )
    return key.private_bytes(serialization.Encoding.PEM, formats[kind], locked).decode()


@pytest.mark.parametrize("kind", ["pkcs1", "pkcs8", "openssh", "encrypted"])
@pytest.mark.parametrize(
    "part",
    [
        "whole",
        "one of its lines",
        "without its first line",
        "without its last line",
        "inner lines",
        "its end",
        "one line",
        "behind a name",
        "escaped",
    ],
)
def test_no_part_of_a_private_key_is_left(kind, part):
    key = pem(kind)
    lines = key.strip().splitlines()
    shown = {
        "whole": key,
        "without its first line": "\n".join(lines[1:]),
        "without its last line": "\n".join(lines[:-1]),
        "one of its lines": f"['{lines[4]}', 'x']",
        "inner lines": "\n".join(lines[3:9]),
        "its end": "\n".join(lines[-3:]),
        "one line": "".join(lines[1:-1]),
        "behind a name": "\n".join(f"api-1  | {line}" for line in lines[1:-1]),
        "escaped": "\\n".join(lines[1:-1]),
    }[part]
    redacted = redact(f"before\n{shown}\nafter it")
    assert not [line for line in lines[1:-1] if line in redacted], redacted
    assert redacted.startswith("before\n")
    # Where a key's end is missing, nothing says where it is.
    assert redacted.endswith(" it") or part == "without its last line"


# Each made an expression look at the whole text again from each of its places.
ENDLESS = [
    "key",
    "key=",
    "A1b",
    "://",
    "://a:b",
    "AAAA" * 16 + "\n",
    "password=,",
    "-----END PRIVATE KEY-----",
]


@pytest.mark.parametrize("piece", ENDLESS)
def test_a_log_that_is_made_to_take_long_does_not(piece):
    started = time.process_time()
    redact((piece * 30_000)[:30_000] + "\nPRIVATE KEY-----")
    assert time.process_time() - started < 20


def test_an_excerpt_is_a_line_without_secrets():
    password = mixed()
    text = f"refused:\n  postgres://lago:{password}@db:5432/lago\n" + "x" * 10**7
    said = excerpt(text, 300)
    assert said.startswith("refused: postgres://lago:") and "@db:5432/lago x" in said
    assert password not in said and len(said) == 300
