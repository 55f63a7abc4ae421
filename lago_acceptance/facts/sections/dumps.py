"""The newest dumps of the database, and what is in the last one."""

from __future__ import annotations

import re

import msgspec

from lago_acceptance.core.secrets import redact
from lago_acceptance.facts.dump import TABLES, Content, Dump
from lago_acceptance.facts.sections import section
from lago_acceptance.facts.untrusted import whole_number

# Files up to so many bytes are read whole, of larger ones the beginning: it takes at most two seconds, and gives way to
# everything else on the host.
WHOLE = 64 * 2**20
SECONDS = 2

_NEWEST = r"""
# A pattern may have blanks, or several patterns may stand in a line.
is_one() {
    IFS=
    for file in $backups; do [ ! -f "$file" ] || return 0; done
    return 1
}
newest() {
    [ -z "$backups" ] || {
        ! (is_one) || IFS=
        for file in $backups; do
            # A line feed in a name would make a dump of its rest.
            case $file in *[[:cntrl:]]*) continue ;; esac
            [ ! -f "$file" ] || stat -c "%Y$tab%s$tab%n" "$file"
        done
    } | sort -n | tail -n 3
}
"""
_SHELL = (
    _NEWEST
    + f"most={WHOLE} seconds={SECONDS} tables='{'|'.join(TABLES)}'"
    + r"""
gzip_magic=$(printf '\037\213') zstd_magic=$(printf '\050\265\057\375') xz_magic=$(printf '\3757zXZ')
kind_of() { # of a text that begins as a file does
    case $1 in
        "$gzip_magic"*) echo gzip ;;
        "$zstd_magic"*) echo zstd ;;
        "$xz_magic"*) echo xz ;;
        BZh*) echo bzip2 ;;
        PGDMP* | toc.dat*) echo archive ;;
        *) echo other ;;
    esac
}
gently() { if command -v nice >/dev/null; then nice "$@"; else "$@"; fi; }
beginning() { head -c 512 2>/dev/null | tr -d '\000'; }
opened() { # file, kind, seconds
    case $2 in
        gzip | zstd | xz | bzip2) gently timeout "$3" "$2" -dc <"$1" 2>/dev/null ;;
        *) gently timeout "$3" cat <"$1" ;;
    esac
}
inner_of() { # file, kind
    text=$(opened "$1" "$2" 1 | beginning)
    case $text in
        '') echo empty ;;
        *'PostgreSQL database'*) echo sql ;;
        PGDMP* | toc.dat*) echo archive ;;
        *) [ -n "$(printf %s "$text" | tr -d '\011-\015\040-\176')" ] && echo binary || echo text ;;
    esac
}
# Only a database that has Lago's password anyway gets to see a dump.
restored() {
    database=$(printf '%s' "$members" | awk '$1 == "db" && $3 == "trusted" { print $2; exit }')
    [ -n "$database" ] || return 125
    gently timeout 8 docker exec -i "$database" pg_restore -f - 2>&1
}
read_to_its_end() { # file, kind, inner
    if [ "$3" = archive ]; then
        opened "$1" "$2" "$seconds" | restored
    else
        opened "$1" "$2" "$seconds"
    fi
    printf '\n-- read %s\n' $?
}
read_in_part() {
    opened "$1" "$2" "$seconds" | head -c 16000000
    echo
    [ "$2" != other ] || tail -c 65536 "$1"
}
content() { # file, size, kind
    inner=$(inner_of "$1" "$3")
    echo "inner $inner"
    case $inner in empty | sql | archive) ;; *) return ;; esac
    if [ "$2" -le "$most" ]; then
        echo whole
        read_to_its_end "$1" "$3" "$inner"
    elif [ "$inner" = sql ]; then
        read_in_part "$1" "$3"
    fi | grep -oE "^(CREATE TABLE|COPY|INSERT INTO) (\"?[a-z_]+\"?\.)?\"?($tables)\"?[ (]|^-- PostgreSQL database (cluster )?dump( complete)?|^-- read [0-9]+$|^whole$|^pg_restore: .{1,200}" |
        awk '!seen[$0]++ && ++count <= 100'
}
newest | {
    newest=
    while IFS= read -r line; do
        printf '%s\n' "$line"
        newest=${line#*"$tab"}
        size=${newest%%"$tab"*}
        newest=${newest#*"$tab"}
        if [ -r "$newest" ]; then
            kind=$(kind_of "$(beginning <"$newest")")
        else
            kind=closed
        fi
        echo "kind $kind"
    done
    [ -z "$newest" ] || [ "$kind" = closed ] || content "$newest" "$size" "$kind"
}
"""
)
_LINE = re.compile(r"([0-9]{1,18})\t([0-9]{1,18})\t(.+)")
_ERROR = re.compile(r"pg_restore: (error|\[)")
_TABLE = re.compile(rf'(CREATE TABLE|COPY|INSERT INTO) (?:"?[a-z_]+"?\.)?"?({"|".join(TABLES)})"?[ (]?')


@section("dumps", shell=_SHELL)
def dumps(text: str) -> tuple[Dump, ...]:
    """The three newest files that match the pattern for dumps, the newest last, with its content."""
    found: list[Dump] = []
    rest: list[str] = []
    for line in text.splitlines():
        if file := _LINE.fullmatch(line):
            found.append(Dump(path=file[3], written=float(file[1]), size=int(file[2])))
        elif found and line.startswith("kind "):
            found[-1] = msgspec.structs.replace(found[-1], kind=line[5:].strip())
        else:
            rest.append(line)
    if found and any(line.startswith("inner ") for line in rest):
        found[-1] = msgspec.structs.replace(found[-1], content=_content(rest))
    return tuple(found)


_CLOSED = r"""
folder=${backups%%[*?[]*}
folder=${folder%/*}
while [ -n "$folder" ] && [ ! -e "$folder" ]; do folder=${folder%/*}; done
[ ! -d "$folder" ] || { [ -r "$folder" ] && [ -x "$folder" ]; } || printf '%s\n' "$folder"
"""


@section("dumps-closed", shell=_CLOSED)
def closed_dumps(text: str) -> str:
    """The folder of the dumps that this user may not look into, "" where there is none."""
    return text.strip().partition("\n")[0]


@section("dumps-later", shell=f"{_NEWEST}newest", last=True)
def later_dump_sizes(text: str) -> dict[str, int]:
    """The sizes of the newest dumps at the end of the look, by path: one that is being written grows meanwhile."""
    return {dump.path: dump.size for dump in dumps(text)}


def _content(lines: list[str]) -> Content:
    tables = [match for line in lines if (match := _TABLE.fullmatch(line))]
    codes = [line.removeprefix("-- read ") for line in lines if line.startswith("-- read ")]
    # That of pg_dumpall is the last of several.
    cluster = "cluster " if "-- PostgreSQL database cluster dump" in lines else ""
    return Content(
        inner=next(line[6:].strip() for line in lines if line.startswith("inner ")),
        whole="whole" in lines,
        code=whole_number(codes[-1]) if codes else None,
        said=redact(next((line for line in lines if _ERROR.match(line)), ""))[:200],
        begun=any(line.startswith("-- PostgreSQL database") for line in lines),
        ended=f"-- PostgreSQL database {cluster}dump complete" in lines,
        created=frozenset(match[2] for match in tables if match[1].startswith("CREATE")),
        filled=frozenset(match[2] for match in tables if not match[1].startswith("CREATE")),
    )
