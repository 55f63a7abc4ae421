"""What a container's command makes of its environment."""

import base64
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lago_acceptance.shell.dataflow import ShellState, follow
from lago_acceptance.shell.values import UNKNOWN, AbstractValue

PEM = "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\n"
MANGLED = PEM.replace("\n", "\\n")
ENCODED = base64.b64encode(PEM.encode()).decode()
FILES = {
    "/key.pem": AbstractValue("pem", None, "/key.pem"),
    "/known.pem": AbstractValue.of(PEM, "/known.pem"),
    "/known.b64": AbstractValue.of(ENCODED + "\n", "/known.b64"),
    "/absent": AbstractValue("empty", "", "/absent"),
}
SCRIPTS = {
    "/start.sh": '#!/bin/sh\nexport K=$(base64 -w0 /key.pem)\nexec "$@"\n',
    "/env.sh": "K=sourced\nexport K\n",
    "/recursive.sh": "#!/bin/sh\n/recursive.sh; /recursive.sh\n",
    "/plain.sh": "K=sourced\n",
    "/enter.rb": "#!/usr/bin/env ruby\nENV['K'] = 'x'\n",
}


def read(path: str) -> AbstractValue:
    return FILES.get(path, UNKNOWN)


def run(*words: str, **environment: str) -> ShellState:
    given = {name: AbstractValue.of(value) for name, value in environment.items()}
    return follow(words, given, read, SCRIPTS.get)


def sh(text: str, *arguments: str, **environment: str) -> ShellState:
    return run("sh", "-c", text, *arguments, **environment)


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("K=a", "a"),
        ("K='a b'", "a b"),
        ('K="a b"', "a b"),
        ("K=a\\ b", "a b"),
        ("K=$'a\\nb'", "a\nb"),
        ("K=a'b'\"c\"", "abc"),
        ("K=", ""),
        ("A=x; K=$A", "x"),
        ("A=x; K=${A}y", "xy"),
        ('A=x; K="1$A 2"', "1x 2"),
        ("K=${A:-fallback}", "fallback"),
        ("A=x; K=${A:-fallback}", "x"),
        (": ${K:=default}", "default"),
        ("K=$(echo a)", "a"),
        ("K=`echo a`", "a"),
        ('K="$(printf %s a)"', "a"),
        ("K=$(cat /known.pem)", PEM.rstrip("\n")),
        ("K=$(< /known.pem)", PEM.rstrip("\n")),
        ("K=$(base64 -w0 /known.pem)", ENCODED),
        ("K=$(cat /known.pem | base64 -w0)", ENCODED),
        ("K=$(base64 -w0 < /known.pem)", ENCODED),
        ("K=$(base64 -w0 <<< x)", base64.b64encode(b"x").decode()),
        ("K=$(base64 -d /known.b64)", PEM.rstrip("\n")),
        ("A=$'x\\n'; K=$(echo \"$A\" | cat)", "x"),
        ("if true; then K=a; fi", "a"),
        ("for i in 1; do K=a; done", "a"),
        ("{ K=a; }", "a"),
        ("f() { K=$1; }; f a", "a"),
        ("f() { echo $1; }; K=$(f a)", "a"),
        ("read K < /known.b64", ENCODED + "\n"),
        ("echo a | read K", "a"),
        ("echo a > /tmp/x; K=$(cat /tmp/x)", "a"),
        ("echo a | tee /tmp/x; K=$(cat /tmp/x)", "a"),
        ("cat <<EOF > /tmp/x\na\nEOF\nK=$(cat /tmp/x)", "a"),
        ('K="$(cat <<EOF\na\nEOF\n)"', "a"),
        ("K=é", "é"),
        ("K=a # comment", "a"),
        ("K=$(sh -c 'x')", None),
        ("K=$(curl x)", None),
        ("K=$1", None),
    ],
)
def test_variables(text, literal):
    assert sh(text).variables["K"].literal == literal


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("K=$(cat /key.pem)", "pem"),
        ("K=$(cat /key.pem | tr -d '\\n')", "pem-mangled"),
        ("K=$(base64 /key.pem)", "base64"),
        ("K=$(base64 /key.pem | base64)", "base64-twice"),
        ("K=$(cat /absent)", "empty"),
        ('A=$(cat /key.pem); K=$(echo "$A" | base64)', "base64"),
        ("A=$(cat /key.pem); K=${A//$'\\n'/\\\\n}", "pem-mangled"),
        ("K=${M//\\\\n/$'\\n'}", "pem"),
        ("K=$(printf '%b' \"$M\" | base64 -w0)", "base64"),
        ("K=$(curl https://vault)", "unknown"),
        ("K=$(cat /key.pem || echo none)", "unknown"),
        ("K=$(openssl genrsa 2048 | base64 -w0)", "base64"),
    ],
)
def test_shapes(text, shape):
    assert sh(text, M=MANGLED).variables["K"].shape == shape


@pytest.mark.parametrize(
    ("text", "exported"),
    [
        ("K=a", set()),
        ("export K=a", {"K"}),
        ("K=a; export K", {"K"}),
        ("set -a; K=a", {"K"}),
        ("set -a; K=a; set +a; L=b", {"K"}),
        ("set -o allexport; K=a", {"K"}),
        ("declare -x K=a", {"K"}),
        ("declare K=a", set()),
        ("K=a ./start", {"K"}),
        ("env K=a ./start", {"K"}),
        ("exec env K=a ./start", {"K"}),
        ('env "K=$L" ./start', {"K"}),
        ("exec bash -c 'K=b; ./start'", set()),
    ],
)
def test_exports(text, exported):
    assert sh(text).exported == exported


def test_words_that_are_no_shell_text():
    state = run("env", "K=a", "./start", "x")
    assert state.variables["K"].literal == "a"
    assert state.exported == {"K"}
    assert state.programs == [("./start", "x")]
    assert run("tini", "--", "./start").programs == [("./start",)]
    assert run().programs == []


def test_a_command_that_needs_a_shell_is_read_as_one_would():
    state = run("export", "K=a b", "&&", "./start")
    assert state.variables["K"].literal == "a b"
    assert state.programs == [("./start",)]
    assert run("export K=a && ./start").programs == [("./start",)]


def test_a_script_that_is_known_is_followed():
    state = run("/start.sh", "./server", "x")
    assert state.variables["K"].shape == "base64"
    assert state.exported == {"K"}
    assert state.programs == [("./server", "x")]
    assert run("sh", "/start.sh", "./server").variables["K"].shape == "base64"
    assert run("bash", "-e", "/start.sh", "./server").variables["K"].shape == "base64"
    assert run("/recursive.sh").programs == []


RUBY_SETS = 'ENV["K"] = Base64.strict_encode64(File.read("/key.pem")); exec "./server", "-x", *ARGV'


@pytest.mark.parametrize(
    ("code", "shape"),
    [
        (RUBY_SETS, "base64"),
        ('ENV["K"]=Base64.encode64(File.read("/key.pem"));exec(*%w[./server -x], *ARGV)', "base64"),
        ("ENV['K'] ||= [File.binread('/key.pem')].pack('m0')\nexec('./server', '-x', *ARGV)", "base64"),
        ('pem = IO.read("/key.pem")\nENV.store("K", pem)\nKernel.exec "./server", "-x", *ARGV', "pem"),
        ('exec({"K" => File.read("/key.pem")}, "./server", "-x", *ARGV)', "pem"),
        ('ENV["K"] = Base64.decode64(ENV["L"])\nexec "./server", "-x", *ARGV', "pem"),
        ('key = File.read(ENV.fetch("F"))\nENV["K"] = [key].pack("m")\nexec "./server -x "', "base64"),
    ],
)
def test_code_in_ruby_is_followed(code, shape):
    state = run("ruby", "-rbase64", "-e", code, "--", "one", L=ENCODED, F="/key.pem")
    assert state.variables["K"].shape == shape
    assert state.exported == {"K"}
    assert state.programs[0][:2] == ("./server", "-x")
    assert not state.unseen


def test_ruby_in_a_shell_and_in_a_file():
    assert sh(f"ruby -e '{RUBY_SETS}' one").programs == [("./server", "-x", "one")]
    assert run("/enter.rb").variables["K"].literal == "x"
    assert run("bundle", "exec", "ruby", "/enter.rb").exported == {"K"}
    assert run("ruby", "-e", 'Dir["/run/*"].each { |f| ENV[File.basename(f)] = File.read(f) }').unseen


def test_a_shell_with_a_long_option():
    assert run("bash", "-o", "pipefail", "-c", "export K=a").exported == {"K"}


def test_a_sourced_file_is_followed():
    state = sh(". /env.sh; ./server")
    assert state.variables["K"].literal == "sourced"
    assert not state.unseen
    assert state.programs == [("./server",)]


def test_a_sourced_file_exports_what_its_shell_exports():
    assert sh(". /plain.sh").exported == set()
    assert sh("set -a; . /plain.sh").exported == {"K"}


def test_arguments_of_a_function_end_with_it():
    assert sh("f() { :; }; f inner; K=$1", "sh", "outer").variables["K"].literal == "outer"


@pytest.mark.parametrize(
    ("text", "unseen"),
    [
        ("K=a", False),
        (". /unknown", True),
        ("source /absent", True),
        (". $FILE", True),
        ('eval "$X"', True),
        ("export $(cat /app/.env)", True),
        ('export "$NAME=$VALUE"', True),
        ('for f in /run/secrets/*; do export "$(basename $f)=$(cat $f)"; done', True),
        ('export "K=$(cat /key.pem)"', False),
        ("env $(cat /app/.env) ./start", True),
        ("cat /app/.env | xargs env ./start", True),
        ("ls | xargs rm", False),
    ],
)
def test_what_may_have_set_anything(text, unseen):
    assert bool(sh(text).unseen) is unseen


@pytest.mark.parametrize(
    ("shell", "text", "unquoted"),
    [
        ("sh", "export K=$(cat /key.pem)", ["K=$(cat /key.pem)"]),
        ("sh", 'export K="$(cat /key.pem)"', []),
        ("sh", "export K=$(base64 -w0 /key.pem)", []),
        ("sh", "export K=$(base64 /key.pem)", ["K=$(base64 /key.pem)"]),
        ("bash", "export K=$(base64 /key.pem)", []),
        ("bash", "export K=$(cat /key.pem)", ["K=$(cat /key.pem)"]),
        ("sh", "export $(cat /app/.env)", []),
    ],
)
def test_exports_without_quotes(shell, text, unquoted):
    assert run(shell, "-c", text).unquoted == unquoted


def test_files_written_edited_and_read():
    state = sh("cat /known.pem > /app/key; sed -i s/a/b/ /app/config.rb; cp /a /app/config/initializers/x.rb")
    assert state.writes["/app/key"].literal == PEM
    assert "/app/config.rb" in state.edits
    assert "/app/config/initializers/x.rb" in state.edits
    assert "/known.pem" in state.reads
    assert sh("echo x > /dev/null; curl y 2> /tmp/log").writes == {}


def test_programs():
    assert sh('echo a; sleep 1; ./migrate.sh && exec ./server "$@"', "sh", "one", "two").programs == [
        ("./migrate.sh",),
        ("./server", "one", "two"),
    ]
    assert sh("exec bash -c 'K=b; ./server'").programs == [("./server",)]


def test_a_here_document_flows_into_its_pipeline():
    assert sh("cat <<EOF | base64 -w0 > /tmp/x\na\nEOF\nK=$(cat /tmp/x)").variables["K"].literal == "YQo="
    assert sh("cat <<EOF && K=b\na\nEOF\n").variables["K"].literal == "b"


def test_a_syntax_error_leaves_what_was_read_and_claims_no_more():
    state = sh("export K=a\nif true; then")
    assert state.variables["K"].literal == "a"
    assert state.unseen
    assert not sh("exec 3<>/dev/tcp/127.0.0.1/80; export K=a").unseen


@pytest.mark.parametrize(
    "text",
    [
        "K=a;" * 100_000,
        "K=a && " * 5_000 + "K=b",
        "{ " * 5_000 + "K=a" + "; }" * 5_000,
        "K=" + "${A:-" * 5_000 + "a" + "}" * 5_000,
        "K=" + "$(echo " * 5_000 + "a" + ")" * 5_000,
        "true|" * 50_000 + "true",
        ")" * 90_000,
    ],
    ids=["long", "chain", "groups", "defaults", "substitutions", "pipes", "brackets"],
)
def test_long_and_deep_texts_are_not_followed(text):
    begun = time.process_time()
    state = sh(text)
    assert "K" not in state.variables
    assert state.unseen
    assert time.process_time() - begun < 5


def test_functions_that_call_each_other_end():
    deep = "; ".join(f"f{at}() {{ " + "{ " * 30 + f"f{at + 1}" + "; }" * 30 + "; }" for at in range(40))
    assert sh(deep + "; f0; K=a").variables["K"].literal == "a"
    assert sh("f() { f; f; }; f; K=a").variables["K"].literal == "a"


TOKENS = (
    "export K= =a $K ${K:-b} $( ) ` \" ' ; \n | cat /key.pem base64 -w0 > /tmp/x < <<< <<EOF EOF { } f() f if then fi"
    " . /env.sh eval set -a declare -x tr -d openssl sed -i ruby -e read && || & ${K//a/b} é"
)
PIECES = st.sampled_from(TOKENS.split(" "))


@settings(max_examples=300, deadline=None, database=None)
@given(st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=40).map(" ".join)))
def test_any_text_is_followed(text):
    state = sh(text, K="a")
    assert all(isinstance(value, AbstractValue) for value in state.variables.values())
    assert "K" in state.variables
