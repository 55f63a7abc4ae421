"""What the usual programs make of a value whose text, or only whose shape, is known."""

import base64

import pytest

from lago_acceptance.shell.filters import FILTERS, output, ruby_value
from lago_acceptance.shell.values import UNKNOWN, AbstractValue

PEM = "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\n"
ENCODED = base64.b64encode(PEM.encode()).decode()
FILES = {"/key.pem": AbstractValue("pem", None, "/key.pem"), "/key.b64": AbstractValue.of(ENCODED)}


def read(path):
    return FILES.get(path, UNKNOWN)


def run(line: str, given: AbstractValue | None = None) -> AbstractValue:
    words = [AbstractValue.of(word) for word in line.split()]
    return FILTERS[words[0].literal](words, given, read)


@pytest.mark.parametrize(
    ("line", "shape"),
    [
        ("cat /key.pem", "pem"),
        ("cat /other", "unknown"),
        ("base64 /key.pem", "base64"),
        ("base64 -w0 /key.pem", "base64"),
        ("base64 -d /key.b64", "pem"),
        ("base64 --decode /key.b64", "pem"),
        ("openssl base64 -A -in /key.pem", "base64"),
        ("openssl base64 -d -A -in /key.b64", "pem"),
        ("openssl enc -base64 -in /key.pem", "base64"),
        ("openssl genrsa 2048", "pem"),
        ("openssl rsa -in /key.pem -pubout", "pem-public"),
        ("openssl version", "unknown"),
        ("ruby -rbase64 -e Base64.strict_encode64(File.read('/key.pem'))", "base64"),
        ("python3 -c print(open('/key.pem').read())", "pem"),
        ("head /key.pem", "unknown"),
        ("sed s/a/b/ /key.pem", "pem"),
        ('awk {printf"%s\\\\n",$0} /key.pem', "pem-mangled"),
    ],
)
def test_files(line, shape):
    assert run(line).shape == shape


@pytest.mark.parametrize(
    ("line", "given", "shape"),
    [
        ("cat", "pem", "pem"),
        ("cat -", "pem", "pem"),
        ("base64", "pem", "base64"),
        ("base64", "base64", "base64-twice"),
        ("base64 -d", "base64", "pem"),
        ("base64 -d", "base64-twice", "base64"),
        ("tr -d \\n", "pem", "pem-mangled"),
        ("tr -d \\n", "base64", "base64"),
        ("xargs", "pem", "pem"),
        ("grep -v x", "pem", "unknown"),
        ("head -1", "empty", "empty"),
    ],
)
def test_standard_input(line, given, shape):
    assert run(line, AbstractValue(given)).shape == shape


def test_only_unwrapped_base64_is_one_word():
    assert not run("base64 /key.pem").one_word
    assert run("base64 -w0 /key.pem").one_word
    assert run("base64 -w 0 /key.pem").one_word
    assert run("base64 --wrap=0 /key.pem").one_word
    assert run("openssl base64 -A -in /key.pem").one_word
    assert run("tr -d \\n", AbstractValue("base64")).one_word


def test_known_text_is_computed():
    assert run("base64", AbstractValue.of(PEM)).literal == ENCODED
    assert run("base64 -d", AbstractValue.of(ENCODED)).literal == PEM
    assert run("base64 -d", AbstractValue.of("!")).shape in ("plain", "empty")


def test_a_decoded_value_says_so():
    assert run("base64 -d", AbstractValue("base64")).origin == "decoded"


@pytest.mark.parametrize(
    ("words", "literal"),
    [
        (["echo", "a"], "a"),
        (["echo", "-n", "a"], "a"),
        (["echo", "a", "b"], "a b"),
        (["printf", "%s", "a"], "a"),
        (["printf", "%b", PEM.replace("\n", "\\n")], PEM),
        (["echo", "-e", PEM.replace("\n", "\\n")], PEM),
        (["printf", PEM.replace("\n", "\\n")], PEM),
    ],
)
def test_output(words, literal):
    assert output(words[0], [AbstractValue.of(word) for word in words]).literal == literal


def test_output_of_what_is_not_known():
    assert output("curl", [AbstractValue.of("curl")]) == UNKNOWN
    assert output("echo", [AbstractValue.of("echo")]) == UNKNOWN
    assert output("echo", [AbstractValue.of("echo"), UNKNOWN, UNKNOWN]) == UNKNOWN
    mangled = AbstractValue("pem-mangled")
    assert output("printf", [AbstractValue.of("printf"), AbstractValue.of("%b"), mangled]).shape == "pem"
    assert (
        output("printf", [AbstractValue.of("printf"), AbstractValue.of("%s"), mangled]).shape == "pem-mangled"
    )


def test_ruby_reads_a_file_or_the_variable():
    assert ruby_value("ENV['K'] = Base64.strict_encode64(File.read('/key.pem'))", read).shape == "base64"
    assert ruby_value("ENV['K'] = File.read('/key.pem')", read).shape == "pem"
    assert ruby_value("ENV['K'] = Base64.decode64(ENV['K'])", read, AbstractValue("base64")).shape == "pem"
    assert ruby_value("puts 1", read) == UNKNOWN
