"""The exit codes that a shell text can end with, and the programs that it may call."""

import shlex
import subprocess
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lago_acceptance.shell.exit_codes import codes
from lago_acceptance.shell.programs import programs
from tests.support.patience import PATIENCE

SUCCESS, FAILURE, EITHER, NEVER_ENDS = {0}, {1}, {0, 1}, set()


def none_fails(program: str, words: list[str]) -> bool:
    """Nothing is known of any program."""
    return False


def wget_is_missing(program: str, words: list[str]) -> bool:
    """The image has no wget: every call of it fails."""
    return program == "wget"


def migration_fails(program: str, words: list[str]) -> bool:
    """Whatever migrates the database fails."""
    return any("db:migrate" in word for word in words)


def case(text: str, expected: set[int]):
    return pytest.param(text, expected, id=text.replace("\n", " ")[:60] or "empty")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        case("", SUCCESS),
        case(" \n\t\n", SUCCESS),
        case("# nothing but a comment", SUCCESS),
        case("true", SUCCESS),
        case("false", FAILURE),
        case("curl -f http://localhost", EITHER),
        case("echo ok", SUCCESS),
        case("exit", SUCCESS),
        case("exit 0", SUCCESS),
        case("exit 3", FAILURE),
        case("exit 256", SUCCESS),
        case('exit "1"', FAILURE),
        case("exit 0; false", SUCCESS),
        case("false; exit", FAILURE),
        case("false; exit $?", FAILURE),
        case('false; exit "$?"', FAILURE),
        case("false; rc=$?; echo done; exit $rc", FAILURE),
        case('true; rc="$?"; false; exit "${rc}"', SUCCESS),
        case("false; rc=$?; rc=0; exit $rc", EITHER),
        case("false; if [ $? -ne 0 ]; then exit 2; fi; echo ok", FAILURE),
        case('false; rc=$?; [[ "$rc" == 0 ]] || exit 1; true', FAILURE),
        case("true; [ $? -eq 0 ] && exit 0; exit 1", SUCCESS),
        case("false; [ $? -eq 0 ] && echo ok; true", SUCCESS),
        case("rc=1; echo done; exit $rc", EITHER),
        case("A=b", SUCCESS),
        case("A=$(curl x)", EITHER),
        case("A=$(false)", FAILURE),
        case("A=$(false) B=$(true)", SUCCESS),
        case("export A=$(false)", SUCCESS),
        case("A=1 B=2 curl x", EITHER),
        case("< /some/file", EITHER),
        case("> /tmp/file", SUCCESS),
        case("exec 3<>/dev/tcp/127.0.0.1/3000", EITHER),
        case("exec 3<>/dev/tcp/127.0.0.1/3000 && echo GET / >&3 && exit 0", EITHER),
        case("echo > /dev/tcp/127.0.0.1/3000", EITHER),
        case(": < /dev/null", SUCCESS),
        case("/bin/true", SUCCESS),
        case("'true'", SUCCESS),
        case("curl -f 'it'\"'\"'s' || tr'u'e", SUCCESS),
    ],
)
def test_simple_commands(text, expected):
    assert codes(text, none_fails) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        case("curl x || true", SUCCESS),
        case("curl x || exit 1", EITHER),
        case("curl x || exit 0", SUCCESS),
        case("curl x && exit 1", FAILURE),
        case("curl x && exit 0 || exit 1", EITHER),
        case("curl x; exit 0", SUCCESS),
        case("curl x\ntrue", SUCCESS),
        case("false && true", FAILURE),
        case("true && false || true", SUCCESS),
        case("curl x &&\n true || true", SUCCESS),
        case("! true", FAILURE),
        case("! false", SUCCESS),
        case("! ! false", FAILURE),
        case("! curl x", EITHER),
        case("! false | true", FAILURE),
        case("curl x | grep -q ok", EITHER),
        case("curl x | cat", SUCCESS),
        case("curl x | tee /tmp/log", SUCCESS),
        case("curl x | false", FAILURE),
        case("set -o pipefail; curl x | cat", EITHER),
        case("set -o pipefail; true | cat", SUCCESS),
        case("set -o pipefail; set +o pipefail; curl x | cat", SUCCESS),
        case("set -o pipefail; false | cat", FAILURE),
        case("exit 1 | true", SUCCESS),
        case("curl x |& cat", SUCCESS),
        case("false & true", SUCCESS),
        case("false &", SUCCESS),
        case("exit 1 & exit 0", SUCCESS),
        case("exit 1 &\ncurl x", EITHER),
        case("curl x || true &", SUCCESS),
    ],
)
def test_chains_pipelines_and_background(text, expected):
    assert codes(text, none_fails) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        case("if curl x; then exit 0; fi", SUCCESS),
        case("if curl x; then exit 0; fi; exit 1", EITHER),
        case("if curl x; then exit 0; else exit 1; fi", EITHER),
        case("if curl x; then true; elif wget x; then false; else true; fi", EITHER),
        case("if true; then false; else true; fi", FAILURE),
        case("if false; then false; fi", SUCCESS),
        case("if ! true; then false; fi", SUCCESS),
        case("if exit 1; then true; fi", FAILURE),
        case("if [ -f x ]; then true; fi", SUCCESS),
        case("if false\nthen false\nelif true\nthen true\nelse false\nfi", SUCCESS),
        case("(exit 1)", FAILURE),
        case("(exit 1); true", SUCCESS),
        case("{ exit 1; }; true", FAILURE),
        case("{ curl x; } || { echo no; exit 1; }", EITHER),
        case("(curl x; wget x) || true", SUCCESS),
        case("[[ -f x ]]", EITHER),
        case("[[ -f x && $a == b ]] || true", SUCCESS),
        case("[ -f x ]", EITHER),
        case("test -f x", EITHER),
        case("((x > 1))", EITHER),
        case("case $x in a|b) false;; *) false;; esac", FAILURE),
        case("case $x in a) exit 1;; esac", EITHER),
        case("case $x in a) ;; *) true ;; esac", SUCCESS),
        case("case $x in a) exit 1;; esac; exit 0", EITHER),
    ],
)
def test_conditions_groups_and_cases(text, expected):
    assert codes(text, none_fails) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        case("for i in 1 2 3; do curl x && exit 0; sleep 1; done; exit 1", EITHER),
        case("for i in 1 2 3; do false; done", FAILURE),
        case("for i in $hosts; do false; done", EITHER),
        case("for i in 1 2 3; do true; done", SUCCESS),
        case("for i in 1 2 3; do break; done; false", FAILURE),
        case("for i in 1 2; do continue; exit 1; done", SUCCESS),
        case("for i\ndo exit 1; done", EITHER),
        case("for ((i = 0; i < 3; i++)); do exit 1; done", EITHER),
        case("while curl x; do sleep 1; done", SUCCESS),
        case("while false; do exit 1; done", SUCCESS),
        case("while true; do sleep 1; done", NEVER_ENDS),
        case("while true; do curl x && break; sleep 1; done", SUCCESS),
        case("while true; do curl x && exit 1; done", FAILURE),
        case("until curl x; do sleep 1; done", SUCCESS),
        case("until false; do sleep 1; done", NEVER_ENDS),
        case("until curl x; do exit 1; done", EITHER),
        case("until true; do exit 1; done", SUCCESS),
        case("until curl x; do false; done", EITHER),
        case("while true; do while true; do break; done; break; done; false", FAILURE),
        case("while true; do while true; do break 2; done; done", EITHER),
        case("cat list | while read line; do curl $line; done", EITHER),
    ],
)
def test_loops(text, expected):
    assert codes(text, none_fails) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        case("set -e; curl x; true", EITHER),
        case("set -e; false; true", FAILURE),
        case("set -e\nfalse || true\nexit 0", SUCCESS),
        case("set -e; true && false; true", FAILURE),
        case("set -e; false && true; true", SUCCESS),
        case("set -e; if false; then true; fi; true", SUCCESS),
        case("set -e; ! true; true", SUCCESS),
        case("set -e; ! false; true", SUCCESS),
        case("set -e; A=$(false; true); true", EITHER),
        case("set -e; (false); true", FAILURE),
        case("set -e; set +e; false; true", SUCCESS),
        case("set -o errexit; false; true", FAILURE),
        case("set -euo pipefail; false | cat; true", FAILURE),
        case("set -eu; false | cat; true", SUCCESS),
        case("set -- -e; false; true", SUCCESS),
        case("curl x || set -e; false; true", EITHER),
        case("set -e; f() { false; true; }; f; true", FAILURE),
        case("set -e; f() { false; true; }; f || true", SUCCESS),
    ],
)
def test_errexit(text, expected):
    assert codes(text, none_fails) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        case("f() { false; }", SUCCESS),
        case("f() { false; }; f", FAILURE),
        case("function f { exit 1; }; f; true", FAILURE),
        case("f() { return 1; true; }; f", FAILURE),
        case("f() { return 1; }; f; true", SUCCESS),
        case("f() { curl x; }; f || true", SUCCESS),
        case("f() { f; }; f", EITHER),
        case("f() { true; }; f() { false; }; f", EITHER),
        case("f() ( exit 1 ); f; true", SUCCESS),
        case("exec true; false", SUCCESS),
        case("exec false; true", FAILURE),
        case("trap 'echo bye' EXIT; false", FAILURE),
        case("trap 'exit 0' EXIT; false", EITHER),
        case("trap cleanup EXIT; cleanup() { exit 0; }; false", EITHER),
        case("trap 'exit 0' TERM; false", FAILURE),
        case("trap - EXIT; false", FAILURE),
    ],
)
def test_functions_exec_and_traps(text, expected):
    assert codes(text, none_fails) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        case("cat <<EOF\nexit 1\nfalse\nEOF\ntrue", SUCCESS),
        case("cat <<'EOF' || true\nfalse\nEOF\n", SUCCESS),
        case("cat <<EOF && false\nhello\nEOF\n", FAILURE),
        case("true <<EOF && false\nhello\nEOF\n", FAILURE),
        case("curl x <<EOF | cat\nhello\nEOF\n", SUCCESS),
        case("curl x <<-EOF > /tmp/out\n\thello\n\tEOF\nfalse", FAILURE),
        case("false <<EOF\n$(exit 0)\nEOF\n", FAILURE),
    ],
)
def test_here_documents(text, expected):
    assert codes(text, none_fails) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        case("sh -c true", SUCCESS),
        case("sh -c 'exit 1'", FAILURE),
        case("bash -c 'exit 1' || true", SUCCESS),
        case("sh -c 'sh -c \"exit 1\"'", FAILURE),
        case("sh -c 'false; true'", SUCCESS),
        case("sh -ec 'false; true'", FAILURE),
        case("sh -ce 'false; true'", FAILURE),
        case("sh -c -- 'exit 1'", FAILURE),
        case("bash -e -o pipefail -c 'false | cat; true'", FAILURE),
        case("bash -o pipefail -c 'curl x | cat'", EITHER),
        case("sh -c '\"$@\"' -- false", FAILURE),
        case("sh -c '\"$0\"' false", FAILURE),
        case("sh -c 'exit 1'; true", SUCCESS),
        case('sh -c "$SCRIPT"', EITHER),
        case("bash ./check.sh", EITHER),
        case("sh -c 'if'", EITHER),
        case("sh -c 'if'; true", SUCCESS),
        case("timeout 5 sh -c 'curl x || true'", SUCCESS),
        case("tini -- sh -c 'exit 1'", FAILURE),
        case("sh -c \"echo 'it'\\\"'\\\"'s'; exit 1\"", FAILURE),
    ],
)
def test_shells_in_shells(text, expected):
    assert codes(text, none_fails) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        case("wget x", FAILURE),
        case("wget x || curl x", EITHER),
        case("wget x || true", SUCCESS),
        case("/usr/bin/wget x", FAILURE),
        case("timeout 5 wget x", FAILURE),
        case("sudo -u lago wget x", FAILURE),
        case("su-exec lago wget x", FAILURE),
        case("env A=b wget x", FAILURE),
        case("! wget x", SUCCESS),
        case("wget x | grep ok", FAILURE),
        case("wget x | cat", SUCCESS),
        case("curl x | wget y", FAILURE),
        case('test "$(wget x)" = ok', FAILURE),
        case("test `wget x` = ok", FAILURE),
        case('[ "$(wget x | grep -c y)" -gt 0 ]', FAILURE),
        case('[ -z "$(wget x)" ]', EITHER),
        case('[[ "$(wget x)" == ok ]]', FAILURE),
        case('test "$(echo $(wget x))" = ok', EITHER),
        case('echo "$(wget x)"', SUCCESS),
        case("A=$(wget x)", FAILURE),
        case("test '$(wget x)' = ok", EITHER),
        case('grep ok <<< "$(wget x)"', FAILURE),
        case("sh -c 'wget x'", FAILURE),
        case("f() { wget x; }; f", FAILURE),
        case("wget() { true; }; wget", SUCCESS),
        case("if wget x; then exit 0; else exit 1; fi", FAILURE),
        case("for i in 1 2; do wget x && exit 0; done; exit 1", FAILURE),
        case("command -v wget && exit 0; exit 1", EITHER),
        case("wget x &", SUCCESS),
    ],
)
def test_a_program_that_is_missing(text, expected):
    assert codes(text, wget_is_missing) == expected


OWN_SCRIPTS = {
    "/own.sh": "#!/bin/sh\nset -e\nrails db:migrate\necho done\n",
    "/plain.sh": "#!/bin/sh\nrails db:migrate\necho done\n",
    "/strict.sh": "#!/bin/bash -e\nrails db:migrate\necho done\n",
    "/hands-on.sh": '#!/bin/sh\nexec "$@"\n',
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        case("/own.sh", FAILURE),
        case("/plain.sh", SUCCESS),
        case("/strict.sh", FAILURE),
        case("sh /strict.sh", SUCCESS),
        case("bash -e /plain.sh", FAILURE),
        case("bash -o errexit /plain.sh", FAILURE),
        case("set -e; . /plain.sh", FAILURE),
        case("sh -ec 'sh /plain.sh'", SUCCESS),
        case("/hands-on.sh rails db:migrate", FAILURE),
        case("/unknown.sh", EITHER),
    ],
)
def test_scripts_that_are_known_are_followed(text, expected):
    assert codes(text, migration_fails, OWN_SCRIPTS.get) == expected


def test_a_shell_that_is_missing():
    def bash_is_missing(program, words):
        return program == "bash"

    assert codes("bash -c true", bash_is_missing) == FAILURE
    assert codes("bash check.sh", bash_is_missing) == FAILURE
    assert codes("sh -c true", bash_is_missing) == SUCCESS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        case("bundle exec rails db:migrate", FAILURE),
        case("bundle exec rails db:migrate && bundle exec rails signup:seed", FAILURE),
        case("bundle exec rails db:migrate; bundle exec rails signup:seed", EITHER),
        case("bash -c 'bundle exec rails db:migrate; bundle exec rails signup:seed'", EITHER),
        case("bash -ec 'bundle exec rails db:migrate; bundle exec rails signup:seed'", FAILURE),
        case("bash -c 'bundle exec rails db:migrate || true'", SUCCESS),
        case("tini -- bash -c 'bundle exec rails db:migrate || true'", SUCCESS),
        case("bundle exec rails db:migrate | tee /tmp/log", SUCCESS),
        case("bash -o pipefail -c 'bundle exec rails db:migrate | tee /tmp/log'", FAILURE),
        case("until bundle exec rails db:migrate; do sleep 1; done", NEVER_ENDS),
        case("export A=b && rails db:migrate", FAILURE),
        case(". ./.env && rails db:migrate", FAILURE),
        case("sh -c 'rails db:migrate' & wait", EITHER),
    ],
)
def test_a_migration_that_fails(text, expected):
    assert codes(text, migration_fails) == expected


def test_words_reach_the_question_without_their_quotes():
    asked = []
    codes(
        'A=b /usr/bin/curl -f \'http://x y\' "z\\"" 2>/dev/null < in', lambda *one: asked.append(one) or False
    )
    assert asked == [("curl", ["/usr/bin/curl", "-f", "http://x y", 'z"'])]


@pytest.mark.parametrize(
    "text",
    [
        "if true; then",
        "true |",
        "true)",
        "'true",
        "echo $(true",
        "cat <<EOF\ntrue",
        "case x in",
        "true; fi",
        "exit 1 && ;",
        "true;\n&& false",
    ],
)
def test_of_a_syntax_error_nothing_is_claimed(text):
    assert codes(text, none_fails) == EITHER
    assert programs(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "true;" * 200_000,
        "(" * 5_000 + "true" + ")" * 5_000,
        "{ " * 5_000 + "true" + "; }" * 5_000,
        "true && " * 5_000 + "true",
        "true|" * 50_000 + "true",
        "$(" * 5_000 + "true" + ")" * 5_000,
        "if true; then " * 5_000 + "true" + "; fi" * 5_000,
        ")" * 100_000,
        "x <<E\n" * 15_000,
    ],
    ids=["long", "subshells", "groups", "chain", "pipes", "substitutions", "ifs", "brackets", "heredocs"],
)
def test_of_long_and_deep_texts_nothing_is_claimed(text):
    begun = time.process_time()
    assert codes(text, none_fails) == EITHER
    assert programs(text) == set()
    assert time.process_time() - begun < 5


def test_shells_nested_too_deep_claim_nothing():
    text = "exit 1"
    for _ in range(6):
        text = "sh -c '" + text.replace("'", "'\\''") + "'"
    assert codes(text, none_fails) in (EITHER, FAILURE)


def test_shells_in_loops_in_shells_end_quickly():
    text = "curl x"
    for number in range(4):
        text = f"while curl {number}; do sh -c '" + text.replace("'", "'\\''") + "'; done"
    begun = time.process_time()
    assert codes(text, none_fails) == EITHER
    assert time.process_time() - begun < 10


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", set()),
        ("curl -f x | grep ok", {"curl", "grep"}),
        ("for i in 1 2 3; do curl x; done", {"curl"}),
        ("case $x in wget|jq) curl x;; nc) true;; esac", {"curl", "true"}),
        ("cat <<EOF\nwget x\nEOF\ncurl y", {"cat", "curl"}),
        ("cat <<EOF\n$(wget x)\nEOF\n", {"cat", "wget"}),
        ("cat <<EOF | jq .\nx\nEOF\n", {"cat", "jq"}),
        ("cat <<EOF && jq .\nx\nEOF\n", {"cat", "jq"}),
        ("f() { wget x; }; f", {"wget"}),
        ("(wget x); { curl y; }", {"wget", "curl"}),
        ("[ -f x ] && [[ -f y ]] && test z", {"[", "[[", "test"}),
        ("until wget x; do sleep 1; done", {"wget", "sleep"}),
        ('test "$(wget x)" = `curl y`', {"test", "wget", "curl"}),
        ("A=$(wget x) B=c", {"wget"}),
        ("export A=$(wget x)", {"export", "wget"}),
        ("echo '$(wget x)'", {"echo"}),
        ("diff <(wget x) <(curl y)", {"diff", "wget", "curl"}),
        ("sh -c 'wget x; sh -c \"curl y\"'", {"sh", "wget", "curl"}),
        ("bash ./check.sh -c x", {"bash", "check.sh"}),
        ("timeout 5 wget x", {"wget"}),
        ("sudo -u lago wget x", {"wget"}),
        ("gosu lago wget x", {"wget"}),
        ("timeout -s KILL 5 env A=b nice -n 5 wget x", {"wget"}),
        ("exec /usr/local/bin/wget x", {"wget"}),
        ("A=b wget x", {"wget"}),
        ("! wget x", {"wget"}),
        ("command -v wget", {"command"}),
        ("trap 'wget x' EXIT", {"trap", "wget"}),
        ("exit 1; wget x", {"wget"}),
        ("false && wget x", {"false", "wget"}),
        ("exec 3<>/dev/tcp/127.0.0.1/80", set()),
        ('$TOOL x; "$(which y)" z', {"which"}),
        ("wget x &", {"wget"}),
        ("curl x > $(wget y)", {"curl", "wget"}),
        ("überprüfe 'ö' && curl ä", {"überprüfe", "curl"}),
    ],
)
def test_programs(text, expected):
    assert programs(text) == expected


def test_lone_surrogates_are_read():
    assert codes("echo \udc80", none_fails) == SUCCESS
    assert programs("echo \udc80") == {"echo"}


TOKENS = (
    "true false exit 0 1 curl if then elif else fi while until for i in do done case esac { } ( ) ( ) [[ ]] [ ]"
    " && || | & ; ;; ! $( ) ` \" ' \n <<EOF EOF <<< < > >& 3<> f() f $x ${a:-b} $((1)) set -e -o pipefail sh -c"
    " break continue return trap EXIT exec export A=b * é \\"
)
PIECES = st.sampled_from(TOKENS.split(" "))
TEXTS = st.one_of(
    st.text(max_size=300),
    st.lists(PIECES, max_size=40).map(" ".join),
    st.lists(PIECES, max_size=40).map("".join),
)


@settings(max_examples=300, deadline=None, database=None)
@given(TEXTS)
def test_any_text_is_read(text):
    assert codes(text, none_fails) <= EITHER
    assert codes(text, wget_is_missing) <= EITHER
    assert all(isinstance(name, str) for name in programs(text))


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    return st.one_of(
        two.map("; ".join),
        two.map(" && ".join),
        two.map(" || ".join),
        two.map(lambda each: f"{{ {each[0]}; }} | {{ {each[1]}; }}"),
        two.map(lambda each: f"if {each[0]}; then {each[1]}; fi"),
        st.tuples(inner, inner, inner).map(lambda each: f"if {each[0]}; then {each[1]}; else {each[2]}; fi"),
        inner.map(lambda one: f"( {one} )"),
        inner.map(lambda one: f"{{ {one}; }}"),
        inner.map(lambda one: f"! {{ {one}; }}"),
        inner.map(lambda one: f"for i in 1 2; do {one}; done"),
        inner.map(lambda one: f"while {one}; do break; done"),
        inner.map(lambda one: f"until {one}; do break; done"),
        inner.map(lambda one: f"f() {{ {one}; }}; f"),
        # bash 5.2 misreads what follows a here-document inside of a substitution.
        inner.map(lambda one: one if "<<" in one else f"A=$( {one} )"),
        inner.map(lambda one: f"case a in b) false;; a) {one};; esac"),
        inner.map(lambda one: f"set -e; {one}"),
        inner.map(lambda one: f"bash -c {shlex.quote(one)}"),
        inner.map(lambda one: f"cat <<EOF > /dev/null\nfalse\nEOF\n{one}"),
    )


SCRIPTS = st.recursive(
    st.sampled_from(["true", "false", ":", "exit 0", "exit 1", "exit", "set +e", "set -o pipefail", "echo"]),
    _compound,
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(SCRIPTS)
def test_what_bash_exits_with_is_among_the_codes(text):
    """The scripts are built of commands that change nothing, and of loops that end."""
    ended = subprocess.run(["bash", "-c", text], capture_output=True, timeout=PATIENCE, check=False)
    assert min(ended.returncode, 1) in codes(text, none_fails)
