# Sourced by the scripts of this folder.
# shellcheck shell=sh

# Exit code 6: the target could not be brought up, so there is no verdict on it.
give_up() {
    printf '%s\n' "$*" >&2
    exit 6
}

is_root() {
    [ "$(id -u)" = 0 ]
}

within() {
    seconds=$1
    shift
    if command -v timeout >/dev/null; then
        timeout "$seconds" "$@"
    else
        "$@"
    fi
}
