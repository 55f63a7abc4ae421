# Masks what must not leave the host, and prints lines "<section> <text>"; a long line is split, and all its parts but the
# last are "<section>+<text>". Several processes write at a time: each piece is short enough to be written in one go.
# Variables: name (the section) or parts (1: a line of a tab and a name begins a section, empty lines are left out), most
# (only the last so many bytes of a section are printed), and scope (ids), where the input is the table of all containers
# (collect.sh). Of that table these lines are printed, values escaped as JSON or Go write strings:
#   C <container> <JSON>         -> section containers
#   E <container> "NAME=value"   -> section environment, for those in scope: E <container> NAME <masked value>
#   what Compose prints, behind the line "declaration"
#                                -> section environment: D <line, its secrets masked>
# Anything else is scrubbed of key material and of passwords in URLs; commands, of Redis' passwords too.
#
# Values of variables whose names sound secret, and values that hold key material, become
# <secret:CLASS:SHAPE:LENGTH>: equal values of one run have the same CLASS, and SHAPE says what the value looks like.
# shape, sounds_secret and is_unescaped precede this text (render.py).
function secret(value,    text) {
    text = value
    if (!(text in classes)) classes[text] = ++known
    return "<secret:" classes[text] ":" shape(text) ":" length(text) ">"
}
function masked(name, value,    head, rest, credentials, at) {
    if (value == "") return value
    if (sounds_secret(name) || value ~ /-----BEGIN |LS0tLS1CRUdJTi|TFMwdExTMUNSVWRKVG/) return secret(value)
    # scheme://user:password@host, perhaps in quotes: only the password is secret. The last @ ends it, whatever it holds.
    if (match(value, /^(\\"|[' ])*[A-Za-z][A-Za-z0-9+.:_-]*:\/\//)) {
        head = substr(value, 1, RLENGTH); rest = substr(value, RLENGTH + 1)
        at = 0
        while (match(substr(rest, at + 1), /@/)) at += RSTART
        if (at) {
            credentials = substr(rest, 1, at - 1); rest = substr(rest, at)
            if (match(credentials, /:/))
                credentials = substr(credentials, 1, RSTART) unescaped(substr(credentials, RSTART + 1))
            return head credentials rest
        }
    }
    return value
}
function unescaped(password) {
    if (is_unescaped(password)) return secret(password) "raw"
    return secret(percent_decoded(password))
}
function percent_decoded(text,    out, code) {
    out = ""
    while (match(text, /%[0-9A-Fa-f][0-9A-Fa-f]/)) {
        code = (index(hex, tolower(substr(text, RSTART + 1, 1))) - 1) * 16 + index(hex, tolower(substr(text, RSTART + 2, 1))) - 1
        out = out substr(text, 1, RSTART - 1) sprintf("%c", code)
        text = substr(text, RSTART + 3)
    }
    return out text
}
function normal(value) {
    gsub(/\\u0026/, "\\&", value); gsub(/\\u003c/, "<", value); gsub(/\\u003e/, ">", value)
    return value
}
function scrubbed(line) {
    gsub(/-----BEGIN[^"]*-----END [A-Z ]*-----/, "<key material>", line)
    gsub(/-----BEGIN [A-Z ]*PRIVATE KEY-----/, "<key material>", line)
    gsub(/LS0tLS1CRUdJTi[A-Za-z0-9+\/=]*/, "<key material>", line)
    # Not as /…{200,}/, which mawk takes literally.
    at = 1
    while (match(substr(line, at), /MII[A-Za-z0-9+\/=]+/)) {
        if (RLENGTH < 203) { at += RSTART + RLENGTH - 1; continue }
        line = substr(line, 1, at + RSTART - 2) "<key material>" substr(line, at + RSTART + RLENGTH - 1)
    }
    while (match(line, /:\/\/[^:@\/ "]*:[^@\/ "<]+@/)) {
        head = substr(line, 1, RSTART - 1); found = substr(line, RSTART, RLENGTH); rest = substr(line, RSTART + RLENGTH)
        sub(/:[^:]*@$/, ":<secret>@", found)
        line = head found rest
    }
    return line
}
# Passwords among the words of commands, in a line of JSON: --requirepass PASSWORD, "--requirepass", "PASSWORD".
function options_masked(line,    done, word) {
    while (match(line, /(--(requirepass|masterauth|pass)|redis-cli(", *"| +)-a)(", *"|[ =]+(\\"|')?)/)) {
        word = substr(line, RSTART, RLENGTH) ~ /"$/ && substr(line, RSTART, RLENGTH) !~ /\\"$/
        done = done substr(line, 1, RSTART + RLENGTH - 1)
        line = substr(line, RSTART + RLENGTH)
        # A word of its own ends with its quotes. In a text for a shell a variable may stand in its place.
        if (word ? match(line, /^([^"\\]|\\.)+/) : match(line, /^[^"' \\$`][^"' \\]*/)) {
            done = done secret(normal(substr(line, 1, RLENGTH)))
            line = substr(line, RLENGTH + 1)
        }
    }
    return done line
}
function entry_of(line,    entry, at, name) {
    entry = substr(line, length($1) + length($2) + 3)
    entry = substr(entry, 2, length(entry) - 2)
    at = index(entry, "=")
    name = substr(entry, 1, at - 1)
    return "E\t" $2 "\t" name "\t" masked(name, normal(substr(entry, at + 1)))
}
function declaration_of(line,    head, written, value, tail, name, changed) {
    if (!match(line, /^ *"[A-Za-z_][A-Za-z0-9_]*": "/)) return "D\t" scrubbed(word_masked(line))
    head = substr(line, 1, RLENGTH); written = substr(line, RLENGTH + 1)
    tail = written ~ /",$/ ? "\"," : "\""
    written = substr(written, 1, length(written) - length(tail))
    name = head; gsub(/[ ":]/, "", name)
    # Compose doubles dollar signs, and its reader halves them.
    value = written; gsub(/\$\$/, "$", value); value = normal(value)
    changed = masked(name, value)
    if (changed == value) return "D\t" head written tail
    gsub(/\$/, "$$", changed)
    return "D\t" head changed tail
}
# Compose prints each word of a command on a line of its own.
function word_masked(line,    value, secret_follows) {
    secret_follows = option
    option = line ~ /^ *"--(requirepass|masterauth|pass)",$/ || (line ~ /^ *"-a",$/ && program ~ /^ *"redis-cli",$/)
    program = line
    if (!secret_follows || !match(line, /"([^"\\]|\\.)+"/)) return options_masked(line)
    value = substr(line, RSTART + 1, RLENGTH - 2); gsub(/\$\$/, "$", value)
    return substr(line, 1, RSTART) secret(normal(value)) substr(line, RSTART + RLENGTH - 1)
}
function tell(section, line) {
    while (length(line) > 3000) { send(section "+" substr(line, 1, 3000)); line = substr(line, 3001) }
    send(section " " line)
}
function send(line) {
    if (length(waiting) + length(line) > 3900) flush()
    waiting = waiting line "\n"
}
function flush() { printf "%s", waiting; fflush(); waiting = "" }

BEGIN { FS = "\t"; hex = "0123456789abcdef"; first = 1 }
scope != "" && declared { tell("environment", declaration_of($0)); next }
scope != "" {
    if ($0 == "declaration") declared = 1
    else if ($1 == "C") tell("containers", scrubbed(options_masked(substr($0, length($2) + 4))))
    else if ($1 == "E" && index(scope, " " $2 " ")) tell("environment", entry_of($0))
    next
}
parts && $0 == "" { next }
parts && $1 == "" { finish(); name = $2; next }
most {
    kept[++last] = $0; size += length($0) + 1
    while (size > most) { size -= length(kept[first]) + 1; delete kept[first++] }
    next
}
{ tell(name, scrubbed($0)) }
function finish() {
    for (; first <= last; first++) tell(name, scrubbed(kept[first]))
    first = 1; last = 0; size = 0
}
END { finish(); flush() }
