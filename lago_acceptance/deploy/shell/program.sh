# Changes a deployment on its host, step by step, and undoes what was begun. It lies in the folder of one deploy, beside its
# `settings` (assignments) and `journal` (time, event and step of a line). Calls:
#   program.sh serve SECONDS    takes the lock, then requests by standard input, until that ends or is silent for SECONDS
#   program.sh settle           takes the lock and undoes what an earlier call has begun
#   program.sh call FUNCTION    runs one function of a step
# A request that has ended is answered with its output, each line after "> ", and "= CODE".

LC_ALL=C
export LC_ALL
umask 077
here=$(cd "$(dirname "$0")" && pwd) || exit 3
state=${here%/deploys/*}
tab='	'
. "$here/settings"

now() { date +%s; }
note() { printf '%s\t%s\t%s\n' "$(now)" "$1" "$2" >>"$here/journal"; }
say() { printf '%s\n' "$*"; }
fail() {
    say "$*"
    exit 1
}

# --- the lock ---

# The kernel releases it when the last process that has it open ends: a step that outlives this program keeps it.
lock() {
    exec 9>>"$state/lock"
    flock -n 9 || return 1
    printf '%s' "$who" >"$state/holder"
}

# --- steps ---

# A function in a process of its own, so that it can be ended and nothing in it leaks into the next.
call() { timeout -k 5 "$2" "$BASH_OR_ASH" "$here/program.sh" call "$1" </dev/null >"$here/output" 2>&1; }
answer() {
    awk '{ print "> " $0 }' "$here/output"
    tail -c 20000 "$here/output" >>"$here/log"
    say "= $1"
}
change() { # step, seconds
    # What is not in the journal would not be undone.
    note begin "$1" 2>"$here/output" && call "change_$1" "$2" && note "done" "$1" 2>>"$here/output" && return
    explained $?
    code=$?
    note failed "$1"
    return "$code"
}
# On a full disk what failed could not say so: its output is a file too.
explained() { # exit code
    [ "$(df -Pk "$here" | awk 'NR == 2 { print $4 }')" -le 1024 ] || return "$1"
    rm -f "$here/reserve"
    say "the disk that holds $here is full: free some space" >>"$here/output"
    return 28
}
last_event() { # the last of the deploy itself
    awk -F "$tab" '$3 == "-" { last = $2 } END { print last }' "$here/journal" 2>/dev/null
}
settled() { case $(last_event) in accepted | undone) return 0 ;; *) return 1 ;; esac; }
# Those that were begun and not undone since, the last first.
begun() {
    awk -F "$tab" '
        $2 == "begin" { order[++count] = $3; open[$3] = count }
        $2 == "reverted" { delete open[$3] }
        END { for (at = count; at > 0; at--) if (open[order[at]] == at) print order[at] }' "$here/journal"
}
# Each undoing may be repeated. One that fails does not keep the others from being done.
undo() {
    bad=0
    rm -f "$here/reserve"
    : >"$here/undone"
    note undoing -
    for step in $(begun); do
        note reverting "$step"
        if call "undo_$step" "$undo_seconds"; then
            note reverted "$step"
        else
            bad=1
            note stuck "$step"
            say "$step could not be undone:" >>"$here/undone"
        fi
        cat "$here/output" >>"$here/undone"
    done
    cp "$here/undone" "$here/output"
    [ "$bad" = 1 ] || note undone -
    return "$bad"
}

# --- requests ---

put() { # path below new/ and content, both as base64
    path=$here/new/$(printf '%s' "$1" | base64 -d) && mkdir -p "$(dirname "$path")" && printf '%s' "$2" | base64 -d >"$path"
}
serve() {
    # Whoever asks may be gone at any time: what is printed then goes nowhere.
    trap '' HUP PIPE INT TERM
    if ! lock; then
        say "locked$tab$(cat "$state/holder" 2>/dev/null)"
        exit 75
    fi
    [ -e "$here/journal" ] || note opened -
    # Room for the journal of the undoing, on a disk that gets full meanwhile.
    head -c 65536 /dev/zero >"$here/reserve"
    asked=no
    say ready
    while IFS= read -r -t "$1" request; do
        set -- "$1" $request
        case $2 in
            beat) continue ;;
            put) put "$3" "$4" >"$here/output" 2>&1 || explained $? ;;
            step) change "$3" "$4" ;;
            ask) call "$3" "$4" || explained $? ;;
            accept)
                rm -f "$here/reserve" && note accepted - >"$here/output" 2>&1
                code=$?
                [ "$code" != 0 ] || call prune 120
                answer "$code"
                continue ;;
            undo)
                asked=yes
                undo ;;
            *) say "unknown request" >"$here/output" && false ;;
        esac
        answer $?
    done
    # The runner is gone. An undo that it asked for, and that failed, is not repeated: an operator has to look at it.
    settled || [ "$asked" = yes ] || [ -z "$(begun)" ] || undo
    rm -f "$here/reserve"
}

# dash can't read with a time limit.
BASH_OR_ASH=$(command -v bash || command -v ash)
case $1 in
    serve) serve "$2" ;;
    settle)
        trap '' HUP PIPE
        lock || { say "locked$tab$(cat "$state/holder" 2>/dev/null)" && exit 75; }
        settled || undo
        code=$?
        cat "$here/output" 2>/dev/null
        exit "$code" ;;
    call)
        set -eu
        for part in "$here"/*.part.sh; do . "$part"; done
        "$2" ;;
esac
