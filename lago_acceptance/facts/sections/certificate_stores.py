"""The files in which the host's proxies keep their certificates."""

from __future__ import annotations

import re

from lago_acceptance.facts.host_state import CertificateStore
from lago_acceptance.facts.sections import section

_SHELL = r"""
shown() { stat -Lc "%a$tab$2$tab%n" "$1" 2>/dev/null; }
printf '%s' "$proxy_mounts" | sort -u | head -n 50 | while IFS= read -r source; do
    case $source in /?*) ;; *) continue ;; esac
    case $source in /proc* | /sys* | /dev* | *[[:cntrl:]]*) continue ;; esac
    name=${source##*/}
    if [ -f "$source" ]; then
        case $name in *acme*.json) shown "$source" file ;; esac
    elif [ -d "$source" ]; then
        case $name in *acme*.json) shown "$source" folder; continue ;; esac
        [ -r "$source" ] && [ -x "$source" ] || { printf '%s\t%s\t%s\n' - closed "$source"; continue; }
        for file in "$source"/*acme*.json "$source"/*/*acme*.json "$source"/*/*/*acme*.json; do
            case $file in *[[:cntrl:]]*) continue ;; esac
            [ ! -f "$file" ] || shown "$file" file
        done
    elif [ ! -e "$source" ]; then
        printf '%s\t%s\t%s\n' - closed "$source"
    fi
done | head -n 50
"""
_LINE = re.compile(r"([0-7]{1,4}|-)\t(file|folder|closed)\t(/.+)")


@section("certificate-stores", shell=_SHELL)
def certificate_stores(text: str) -> tuple[CertificateStore, ...]:
    """Files called acme.json or alike in what proxies mount, and what of it this user may not look into."""
    found = filter(None, map(_LINE.fullmatch, text.splitlines()))
    return tuple(dict.fromkeys(CertificateStore(path=each[3], mode=each[1], kind=each[2]) for each in found))
