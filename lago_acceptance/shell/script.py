"""One shell script, followed statement by statement."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lago_acceptance.shell.expansions import Expander, expands_unquoted
from lago_acceptance.shell.filters import FILTERS, output
from lago_acceptance.shell.parser import REDIRECTS, is_broken, is_literal, parse, text_of, words_of
from lago_acceptance.shell.ruby import execs, ruby_call
from lago_acceptance.shell.statements import Stage, links_of, statements_of
from lago_acceptance.shell.values import UNKNOWN, AbstractValue
from lago_acceptance.shell.words import SHELLS, WRAPPERS, name_of

if TYPE_CHECKING:
    from tree_sitter import Node

    from lago_acceptance.shell.dataflow import Container

# No command that starts a service of Lago starts as many scripts, or goes as deep; what does is not followed.
SCRIPTS_CAP, CALLS_CAP, LEVELS_CAP = 50, 20, 40
# Lago's own scripts set no variables.
_OF_IMAGE = re.compile(r"(?:/app/|\./)?scripts/[\w.]+\.sh$")
_CHAINED = ("list", "pipeline", "negated_command", "redirected_statement", "command", *REDIRECTS)
_NO_PROGRAMS = frozenset(
    {"echo", "printf", "set", "true", "test", "[", "exit", "sleep", "until", "shift", "cd", "unset"}
)


class Script:
    """One script, followed from top to bottom; both arms of a condition are followed."""

    def __init__(self, container: Container, arguments: tuple[str, ...], shell: str):
        self.container, self.state = container, container.state
        self.arguments, self.shell = arguments, shell
        self.words = Expander(
            self.state.variables, [AbstractValue.of(each) for each in arguments], self._inside
        )
        self.functions: dict[str, Node] = {}
        self.calls = 0
        self.exports_all = False

    def run(self, text: str) -> None:
        """Follows the text. Where it can't be read to its end, it may set anything."""
        self.container.scripts += 1
        root = parse(text) if self.container.scripts <= SCRIPTS_CAP else None
        if root is None or is_broken(root):
            self.state.note_unseen("a script of its command can't be read to its end")
        if root is not None:
            self._statements(root.children)

    def _statements(self, nodes: Iterable[Node]) -> AbstractValue:
        """Follows statements; what the last one writes."""
        written = UNKNOWN
        for node, _ in statements_of(nodes):
            written = self._statement(node)
        return written

    def _inside(self, substitution: Node) -> AbstractValue:
        return self._statements(substitution.children)

    def _statement(self, node: Node) -> AbstractValue:
        if self.container.level >= LEVELS_CAP:
            self.state.note_unseen("a script of its command is nested too deep")
            return UNKNOWN
        self.container.level += 1
        written = UNKNOWN
        match node.type:
            case "variable_assignment":
                self._assign(node)
            case "declaration_command":
                self._declare(node)
            case "function_definition":
                name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
                if name is not None and body is not None:
                    self.functions[text_of(name)] = body
            case kind if kind in _CHAINED:
                links = [self._pipeline(link.stages) for link in links_of(node)]
                written = links[0] if len(links) == 1 else UNKNOWN
            case _:
                self._statements(node.children)
        self.container.level -= 1
        return written

    def _pipeline(self, stages: tuple[Stage, ...]) -> AbstractValue:
        flowing: AbstractValue | None = None
        for stage in stages:
            flowing = self._stage(stage, flowing)
        return flowing or UNKNOWN

    def _stage(self, stage: Stage, given: AbstractValue | None) -> AbstractValue:
        body, targets = stage.body, []
        own = [] if body is None else [child for child in body.named_children if child.type in REDIRECTS]
        for redirect in (*own, *stage.redirects):
            if redirect.type == "file_redirect":
                target = redirect.child_by_field_name("destination")
                operator = text_of(redirect).lstrip("0123456789&")[:1]
                if target is not None and operator == "<":
                    given = self._file(target)
                elif target is not None and not text_of(redirect).startswith("2"):
                    targets.append(self.words.value(target).literal or "")
            else:
                given = self._written_here(redirect)
        if body is None:
            written = given or UNKNOWN
        elif body.type == "command":
            written = self._command(body, given)
        else:
            self._statement(body)
            written = UNKNOWN
        self.state.writes.update(
            {target: written for target in targets if target and not target.startswith("/dev/")}
        )
        return written

    def _file(self, target: Node) -> AbstractValue:
        """What is read from ``< file`` or ``< <(command)``."""
        if target.type == "process_substitution":
            return self.words.substituted(target)
        return self.container.read(self.words.value(target).literal or "")

    def _written_here(self, redirect: Node) -> AbstractValue:
        """What a here-document or a here-string gives."""
        if redirect.type == "herestring_redirect":
            return self.words.value(redirect.named_children[0]) if redirect.named_children else UNKNOWN
        body = [child for child in redirect.named_children if child.type == "heredoc_body"]
        return AbstractValue.of(text_of(body[0]), "here-document") if body else UNKNOWN

    def _assign(self, node: Node) -> str:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        variable = text_of(name) if name is not None else ""
        self.state.assign(variable, self.words.value(value) if value is not None else AbstractValue.of(""))
        if self.exports_all:
            self.state.exported.add(variable)
        return variable

    def _declare(self, node: Node) -> None:
        exporting = text_of(node).startswith(("export", "declare -x", "typeset -x"))
        for child in node.named_children:
            if child.type == "variable_assignment":
                name = self._assign(child)
                self._note_unquoted(child, self.state.variables[name])
            elif child.type == "variable_name":
                name = text_of(child)
            else:
                if exporting:
                    self._export_word(child)
                continue
            if exporting:
                self.state.exported.add(name)

    def _export_word(self, word: Node) -> None:
        """Exports what a word comes to, such as ``"$name=$value"`` or ``$(grep = file)``."""
        if assigned := self._assigned(word):
            self.state.export(*assigned)
        elif not is_literal(word):
            self.words.value(word)
            self.state.note_unseen("its command exports variables whose names are computed")

    def _note_unquoted(self, assignment: Node, value: AbstractValue) -> None:
        """A shell may split the value of ``export NAME=$(...)``; bash does so only elsewhere."""
        word = assignment.child_by_field_name("value")
        splits = self.shell not in ("bash", "zsh") or value.shape.startswith("pem")
        if (
            word is not None
            and splits
            and expands_unquoted(word)
            and not value.one_word
            and value.shape != "empty"
        ):
            self.state.unquoted.append(text_of(assignment))

    def _command(self, node: Node, given: AbstractValue | None) -> AbstractValue:
        """Follows one command; what it writes."""
        nodes = words_of(node)
        values = [self.words.value(each) for each in nodes]
        for child in node.named_children:
            if child.type == "variable_assignment":
                self.state.exported.add(self._assign(child))
        program = name_of(values[0].literal or "") if values else ""
        self._note_edits(program, values)
        if program in self.functions:
            return self._call(self.functions[program], values[1:])
        match program:
            case "source" | ".":
                self._source(values[1].literal if len(values) > 1 else None)
                return AbstractValue.of("")
            case "read":
                names = [name for value in values[1:] if (name := value.literal) and name.isidentifier()]
                self.state.variables.update({name: given or UNKNOWN for name in names[:1]})
                return UNKNOWN
            case "tee" if given is not None:
                self.state.writes.update({value.literal: given for value in values[1:] if value.literal})
                return given
            case "set":
                self._set(" ".join(value.literal or "" for value in values[1:]))
            case "eval":
                self.state.note_unseen("its command runs eval")
            case "xargs" if any(name_of(value.literal or "") in ("env", *SHELLS) for value in values[1:]):
                self.state.note_unseen("its command hands variables on by xargs")
                self._start(program, *_after_options(nodes, values))
                return UNKNOWN
        if program == "ruby" and self._execs(values):
            self._start(program, nodes, values)
            return UNKNOWN
        if program in FILTERS:
            return FILTERS[program](values, given, self.container.read)
        if program not in _NO_PROGRAMS:
            self._start(program, nodes, values)
        return output(program, values)

    def _execs(self, values: list[AbstractValue]) -> bool:
        """Whether a command in Ruby becomes another program."""
        call = ruby_call(tuple(value.literal or "" for value in values), self.container.script)
        return call is not None and execs(call.code)

    def _note_edits(self, program: str, values: list[AbstractValue]) -> None:
        words = [value.literal or "" for value in values]
        if program in ("sed", "perl") and any(word.startswith(("-i", "-pi")) for word in words):
            self.state.edits += filter(None, words[2:])
        if program in ("ruby", "python", "python3", "node"):
            self.state.edits += [word for word in words[1:] if "/initializers/" in word]
        if program in ("cp", "mv", "ln", "install") and len(words) > 2 and words[-1]:
            self.state.edits.append(words[-1])

    def _set(self, options: str) -> None:
        if re.search(r"(^|\s)[-+]\w*a|[-+]o allexport", options):
            self.exports_all = not options.lstrip().startswith("+")

    def _start(self, program: str, nodes: list[Node], values: list[AbstractValue]) -> None:
        """Starts a program, or what a wrapper, a shell or a script of its own makes of the words."""
        words: list[str] = []
        for node, value in zip(nodes, values, strict=True):
            if text_of(node).strip('"') in ("$@", "${@}", "$*"):
                words += self.arguments
            elif not_started(words) and program in ("env", "exec") and (assigned := self._assigned(node)):
                self.state.export(*assigned)
            elif "env" in words and not_started(words) and not is_literal(node):
                self.state.note_unseen("its command hands a file's variables on by env")
            else:
                words.append(value.literal if value.literal is not None else text_of(node))
        self.container.run(tuple(words))

    def _assigned(self, word: Node) -> tuple[str, AbstractValue] | None:
        """The name and value of an argument of the form NAME=value, as env takes it; None where it is none."""
        name, equals, _ = text_of(word).lstrip("\"'").partition("=")
        if not equals or not name.isidentifier():
            return None
        values = [child for child in word.named_children if child.type != "string_content"]
        values = [child for child in values if child.start_byte > word.start_byte + len(name)]
        if word.type in ("concatenation", "string") and len(values) == 1:
            return name, self.words.value(values[0])
        whole = self.words.value(word).literal
        return name, UNKNOWN if whole is None else AbstractValue.of(whole.partition("=")[2])

    def _source(self, path: str | None) -> None:
        """Follows a file in this shell; one that is there, and whose text isn't known, may set anything."""
        text = self.container.script(path) if path else None
        if text is None:
            if path is not None:
                self.container.read(path)
            if not _OF_IMAGE.match(path or ""):
                self.state.note_unseen(f"its command reads {path or 'a file'}")
        else:
            inner = Script(self.container, (), self.shell)
            inner.exports_all = self.exports_all
            inner.run(text)

    def _call(self, body: Node, arguments: list[AbstractValue]) -> AbstractValue:
        """Follows one of the script's own functions; what its last statement writes."""
        if self.calls > CALLS_CAP:
            return UNKNOWN
        self.calls += 1
        outside, self.words.arguments = self.words.arguments, arguments
        written = self._statements(body.children)
        self.words.arguments = outside
        return written


def _after_options(nodes: list[Node], values: list[AbstractValue]) -> tuple[list[Node], list[AbstractValue]]:
    """The words of a command from the first on that names a program to run."""
    at = next(at for at, value in enumerate(values) if name_of(value.literal or "") in ("env", *SHELLS))
    return nodes[at:], values[at:]


def not_started(words: list[str]) -> bool:
    """Whether the words so far are wrappers and their options only, so that an assignment may follow."""
    return all(word.startswith("-") or name_of(word) in WRAPPERS for word in words)
