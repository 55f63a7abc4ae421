"""Files and folders of the host that containers mount, and the keys among them."""

from __future__ import annotations

from lago_acceptance.facts.sections import section
from lago_acceptance.facts.types import KeyFile
from lago_acceptance.facts.untrusted import whole_number

# Of a key only openssl's words and the digest of its public half are printed. Headers go without their dashes, or they
# would be masked as key material.
_SHELL = r"""
# Why a path can't be seen: nothing is there, or a folder above it is closed to this user.
missing() {
    folder=$1
    while folder=${folder%/*} && [ -n "$folder" ] && [ ! -d "$folder" ]; do :; done
    [ -x "${folder:-/}" ] && echo absent || echo hidden
}
key_facts() {
    command -v openssl >/dev/null || { printf '\tno openssl\t\t'; return; }
    kind=$(openssl pkey -in "$1" -passin pass: -noout -text 2>/dev/null)
    openssl rsa -in "$1" -passin pass: -check -noout >/dev/null 2>&1 && consistent=yes || consistent=no
    digest=$({
        openssl pkey -in "$1" -passin pass: -pubout -outform DER 2>/dev/null ||
            openssl pkey -pubin -in "$1" -pubout -outform DER 2>/dev/null
    } | sha256sum)
    header=$(awk 'match($0, /-----BEGIN [A-Z ]+-----/) { print substr($0, RSTART + 5, RLENGTH - 10); exit }' "$1")
    printf '%s\t%s\t%s\t%s' "$header" "${kind%%"$line_feed"*}" "$consistent" "${digest%% *}"
}
printf '%s\n%s\n' "$mounted" "$sources" | sort -u | while read -r source; do
    case $source in '' | /var/run/docker.sock | /run/docker.sock | /proc* | /sys*) continue ;; esac
    status=$(stat -Lc "%a %Y$tab%u$tab%s$tab%F" "$source" 2>/dev/null) ||
        status="-$tab-$tab-$tab$(missing "$source")"
    details=
    if [ -f "$source" ] && [ ! -r "$source" ]; then
        details="${tab}unreadable$tab$tab"
    elif [ -f "$source" ]; then
        size=${status#*"$tab"*"$tab"}
        if [ "${size%%"$tab"*}" -lt 65536 ] && [ -z "$(unusable "$source")" ] &&
            case $source in *.pem | *.key) true ;; *) grep -qs -e '-----BEGIN ' "$source" ;; esac; then
            details=$(key_facts "$source")
        fi
    fi
    printf '%s\t%s\t%s\n' "$source" "$status" "$details"
done
"""
# sha256sum of nothing: openssl found no public half.
_EMPTY_DIGEST = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@section("mounts", shell=_SHELL)
def sources(text: str) -> tuple[KeyFile, ...]:
    """What containers mount from the host, and the key files that the settings name: owner, mode, and which key it is."""
    lines = (line.split("\t") for line in text.splitlines())
    return tuple(_file(parts) for parts in lines if len(parts) >= 5)


def _file(parts: list[str]) -> KeyFile:
    path, mode, owner, size, kind = parts[:5]
    details = parts[5:9]
    header, said, consistent, digest = details if len(details) == 4 else ("", "", "", "")
    return KeyFile(
        path=path,
        mode=mode.partition(" ")[0],
        owner=owner,
        size=whole_number(size) or 0,
        kind=kind,
        header=f"-----{header}-----" if header else "",
        text=said,
        consistent=consistent == "yes",
        digest="" if digest == _EMPTY_DIGEST else digest,
        changed=whole_number(mode.partition(" ")[2]),
    )
