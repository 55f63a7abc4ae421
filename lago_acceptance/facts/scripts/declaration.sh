# What the deployment's compose file declares: the file that the operator names, else the one that the containers' labels
# name. Labels may name anything, so Compose gets only small regular files of this host, nothing that it would fetch, and
# no variable of this login that nobody meant for it.

find_files() {
    [ -z "$files" ] && [ -n "$project" ] || return 0
    directory=
    case $found_directory in /*) directory=$found_directory ;; esac
    files=$(absolute "$found_files")
    env_files=$(absolute "$found_env_files")
}
# Old Compose names its files from its folder. An address becomes the name of a file that is not there.
absolute() {
    printf '%s' "$1" | tr ',' '\n' | while read -r file || [ -n "$file" ]; do
        case $file in
            '') ;;
            /*) printf '%s\n' "$file" ;;
            *) printf '%s\n' "${directory:-/nonexistent}/$file" ;;
        esac
    done
}
find_compose() {
    [ -z "$compose" ] || return 0
    for each in "$HOME/.docker/cli-plugins" /usr/local/lib/docker/cli-plugins /usr/local/libexec/docker/cli-plugins \
        /usr/lib/docker/cli-plugins /usr/libexec/docker/cli-plugins; do
        [ ! -x "$each/docker-compose" ] || { compose=$each/docker-compose; return 0; }
    done
    compose=$(command -v docker-compose) || compose=
}
# Why a file is not to be read, or nothing. What is not there, or closed to this user, Compose itself says best.
unusable() {
    [ -e "$1" ] || return 0
    # The kernel's files look regular, and may have no end.
    case $(readlink -f "$1") in
        /proc/* | /sys/* | /dev/*) echo "$1 is a file of the kernel's" ;;
        *)
            if [ ! -f "$1" ]; then
                echo "$1 is not a regular file"
            elif [ "$(stat -Lc %s "$1")" -gt 1048576 ]; then
                echo "$1 is larger than 1 MiB"
            fi ;;
    esac
}
# Whether a compose file includes or extends what lies elsewhere, which some versions of Compose fetch all the same.
fetches() {
    grep -Eqs "(^|[[:space:]{,\"'])(include|extends)[\"']?[[:space:]]*:" "$1" &&
        grep -Eqs "(include|extends|file|path)[\"']?[[:space:]]*:[[:space:]{[\"']*($remote)|^[[:space:]]*-[[:space:]\"']*($remote)" "$1"
}
remote='(git|oci|ssh)(\+[a-z]+)?://|git@|github\.com/|https?://[^[:space:]]*\.git'
refused() {
    IFS=$line_feed
    for file in $files $env_files; do
        said=$(unusable "$file")
        [ -z "$said" ] || { echo "$said: it was not read"; return; }
    done
    for file in $files; do
        ! fetches "$file" || { echo "$file includes a file from the network: it was not given to Compose"; return; }
    done
}
names_here() { env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'; }
# Runs a program without the variables of this login that it needs not.
with_given() {
    for name in $(names_here); do
        case " PATH HOME LC_ALL GOMAXPROCS GOGC $given " in *" $name "*) ;; *) unset "$name" ;; esac
    done
    export COMPOSE_EXPERIMENTAL_GIT_REMOTE=false COMPOSE_EXPERIMENTAL_OCI_REMOTE=false
    # A file may name /dev/zero as its env_file: KiB of data, which a deployment's files take a fraction of.
    ulimit -d 400000 2>/dev/null
    exec timeout -k 1 20 "$@"
}
config() {
    [ -n "$compose" ] || { echo "neither docker compose nor docker-compose is on the host"; return; }
    said=$(refused)
    [ -z "$said" ] || { echo "$said"; return; }
    set --
    [ -z "$project" ] || set -- -p "$project"
    [ -z "$directory" ] || set -- "$@" --project-directory "$directory"
    IFS=$line_feed
    for file in $files; do set -- "$@" -f "$file"; done
    for file in $env_files; do set -- "$@" --env-file "$file"; done
    unset IFS
    { (with_given "$compose" "$@" config --format json) </dev/null 2>&1 || echo "exit $?"; } | bounded
}
declaration() {
    printf '%s\ndeclaration\n' "$table"
    [ -n "$files" ] || return 0
    ask_compose
    printf '%s\n' "$printed"
}
# Sets printed, once. A file that a variable of the login completes can't be read without it.
ask_compose() {
    [ -z "$printed" ] || return 0
    printed=$(config)
    case $printed in *'variable is not set'*) ;; *) return 0 ;; esac
    for variable in $(names_here); do
        case $printed in *"$variable\\\" variable is not set"* | *"\"$variable\" variable is not set"*)
            printed="it takes $variable from the environment of the login, which Compose is not given here: put it into the env file"
            return 0 ;;
        esac
    done
}
is_declared() { # service, image
    [ -n "$files" ] || return 1
    ask_compose
    printf '%s\n' "$printed" | wanted_service=$1 wanted_image=$2 awk "$declares"
}
