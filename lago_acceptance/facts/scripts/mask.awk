# Masks what must not leave the host, and prints lines "<section> <text>"; a long line is split, and all its parts but the
# last are "<section>+<text>". Several processes write at a time: each piece is short enough to be written in one go.
# Environment: nonce. Where it is set, the input begins with the deployment's secrets (encodings.awk) and a line that is
# the nonce, and a line "<nonce> TAB <name> [TAB <most> [TAB last]]" begins a section: of it the first so many bytes are
# printed, or the last. Nothing that is read from a container can know it.
# Variables: name (of the first section), and scope (ids), where the input is the table of all containers (collect.sh). Of
# that table these lines are printed, values escaped as JSON writes strings:
#   C <container> <JSON>         -> section containers
#   E <container> "NAME=value"   -> section environment, for those in scope: E <container> NAME <masked value>
#   what Compose prints, behind the line "declaration"
#                                -> section environment: D <line, its secrets masked>
# Anything else is scrubbed of the deployment's secrets in all their forms, of key material and of passwords in URLs;
# commands, of the passwords among their words too.
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
function scrubbed(line,    done, found) {
    gsub(/-----BEGIN[^"]*-----END [A-Z ]*-----/, "<key material>", line)
    if (gsub(/-----BEGIN [A-Z ]*PRIVATE KEY-----/, "<key material>", line)) in_key = 1
    gsub(/LS0tLS1CRUdJTi[A-Za-z0-9+\/=]*/, "<key material>", line)
    # Not as /…{200,}/, which mawk takes literally.
    while (match(line, /MII[A-Za-z0-9+\/=]+/)) {
        done = done substr(line, 1, RSTART - 1) (RLENGTH < 203 ? substr(line, RSTART, RLENGTH) : "<key material>")
        line = substr(line, RSTART + RLENGTH)
    }
    line = done line; done = ""
    while (match(line, /:\/\/[^:@\/ "]*:[^@\/ "<]+@/)) {
        found = substr(line, RSTART, RLENGTH)
        sub(/:[^:]*@$/, ":<secret>@", found)
        done = done substr(line, 1, RSTART - 1) found
        line = substr(line, RSTART + RLENGTH)
    }
    return done line
}
# A line of a log that ends with nothing but base64 may be a piece of a key: as long as lines of keys are, or behind one. It
# may be something else, too (a digest, a signed id): it is masked, and not called a key.
function key_masked(line,    piece) {
    if (!match(line, /(^|[ \t])[A-Za-z0-9+\/]+=*[\r]?$/)) {
        in_key = in_key && line !~ /-----END/ && line ~ /<key material>/
        return line
    }
    piece = substr(line, RSTART)
    if (!(RLENGTH > 60 && piece ~ /[A-Z]/ && piece ~ /[a-z]/ && piece ~ /[0-9]/) && !(in_key && RLENGTH > 4)) {
        in_key = 0
        return line
    }
    in_key = 1
    return substr(line, 1, RSTART - 1) (piece ~ /^[ \t]/ ? substr(piece, 1, 1) : "") "<secret>"
}

# --- the deployment's secrets, wherever they turn up ---

function learn(line,    at) {
    at = index(line, "\t")
    form[++forms] = substr(line, 1, at - 1)
    meant[forms] = substr(line, at + 1)
}
# Which of them a text holds: of many lines, few hold any.
function look_for(text,    each) {
    present = 0
    for (each = 1; each <= forms; each++) if (index(text, form[each])) there[++present] = each
}
# by_class: equal secrets stay equal.
function known_masked(line, by_class,    each, text, instead, done, at) {
    for (each = 1; each <= present; each++) {
        text = form[there[each]]
        if (!index(line, text)) continue
        instead = by_class && meant[there[each]] != "" ? secret(meant[there[each]]) : "<secret>"
        done = ""
        while (at = index(line, text)) {
            done = done substr(line, 1, at - 1) instead
            line = substr(line, at + length(text))
        }
        line = done line
    }
    return line
}

# Passwords among the words of commands, in a line of JSON: --requirepass PASSWORD, "--requirepass", "PASSWORD", and
# PGPASSWORD=PASSWORD in a text for a shell.
function options_masked(line,    done, word) {
    while (match(line, /(--(requirepass|masterauth|pass|password)|redis-cli(", *"| +)-a)(", *"|[ =]+(\\"|')?)|(PASSWORD|PASSWD|_PWD|_AUTH|TOKEN|SECRET)=(\\"|')?/)) {
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
function entry_of(line,    entry, at, name, value, changed) {
    entry = substr(line, length($1) + length($2) + 3)
    entry = substr(entry, 2, length(entry) - 2)
    at = index(entry, "=")
    name = substr(entry, 1, at - 1)
    value = normal(substr(entry, at + 1))
    changed = masked(name, value)
    return "E\t" $2 "\t" name "\t" (changed == value ? known_masked(value, 1) : changed)
}
function declaration_of(line,    head, written, value, tail, name, changed) {
    if (!match(line, /^ *"[A-Za-z_][A-Za-z0-9_]*": "/)) return "D\t" scrubbed(known_masked(word_masked(line), 1))
    head = substr(line, 1, RLENGTH); written = substr(line, RLENGTH + 1)
    tail = written ~ /",$/ ? "\"," : "\""
    written = substr(written, 1, length(written) - length(tail))
    name = head; gsub(/[ ":]/, "", name)
    # Compose doubles dollar signs, and its reader halves them.
    value = written; gsub(/\$\$/, "$", value); value = normal(value)
    changed = masked(name, value)
    if (changed == value) return "D\t" head known_masked(written, 1) tail
    gsub(/\$/, "$$", changed)
    return "D\t" head changed tail
}
# Compose prints each word of a command on a line of its own.
function word_masked(line,    value, secret_follows) {
    secret_follows = option
    option = line ~ /^ *"--(requirepass|masterauth|pass|password)",$/ || (line ~ /^ *"-a",$/ && program ~ /^ *"redis-cli",$/)
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

# --- sections ---

# Lines are looked at in blocks: first all of them at once.
function hold(line) {
    held[++last] = line
    block = block line "\n"
    if (length(block) > 16000) release()
}
function release(    each, line) {
    look_for(block)
    for (each = 1; each <= last; each++) {
        if (scope != "") { tell_row(held[each]); continue }
        # The gateway's answers are in base64 themselves.
        line = known_masked(held[each])
        if (name !~ /^gateway:/) line = key_masked(scrubbed(line))
        if (keep == "last" && length(line) > 8000) line = substr(line, 1, 8000) " (cut)"
        tell(name, line)
    }
    last = 0; block = ""
}
function tell_row(row) {
    # Its fields are those of the row.
    $0 = row
    if (declared) tell("environment", declaration_of(row))
    else if (row == "declaration") declared = 1
    else if ($1 == "C") tell("containers", scrubbed(known_masked(options_masked(substr(row, length($2) + 4)), 1)))
    else if ($1 == "E" && index(scope, " " $2 " ")) tell("environment", entry_of(row))
}
function add(line) {
    if (keep == "last") {
        # A little more than is told, so that a secret at its end is whole when it is looked for.
        kept[++newest] = substr(line, 1, 10000); size += length(kept[newest]) + 1
        while (size > most && oldest < newest) { size -= length(kept[oldest]) + 1; delete kept[oldest++] }
    }
    else {
        # A short line takes as much time as a long one.
        size += length(line) + 32
        if (!most || size <= most) hold(line)
    }
}
function finish() {
    for (; oldest <= newest; oldest++) { hold(kept[oldest]); delete kept[oldest] }
    release()
    if (most && keep != "last" && size > most) tell(name, "(the rest is left out: more than " most " bytes)")
    oldest = 1; newest = size = empty = in_key = 0
}

BEGIN { FS = "\t"; hex = "0123456789abcdef"; oldest = 1; nonce = ENVIRON["nonce"]; ready = nonce == ""; if (!ready) begins = nonce "\t" }
!ready { if ($0 == nonce) ready = 1; else learn($0); next }
scope != "" { hold($0); next }
begins != "" && index($0, begins) == 1 { finish(); name = $2; most = $3 + 0; keep = $4; next }
# Every section begins with a line feed: an empty line counts only where something follows it, and several count as one.
$0 == "" { empty = 1; next }
{
    if (empty) add("")
    empty = 0
    add($0)
}
END { finish(); flush() }
