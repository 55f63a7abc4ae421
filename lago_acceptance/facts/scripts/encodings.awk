# How values are written: JSON's strings, and the forms in which a secret may turn up in a log.

BEGIN {
    hex_digits = "0123456789abcdef"
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for (number = 1; number < 256; number++) byte[sprintf("%c", number)] = number
}

# The text of a JSON string; "" for null, and for one with control characters unless any is set: no name, path, image or
# URL has them, and a line feed would end a row.
function decoded(written, any,    out, at, letter, code) {
    if (written !~ /^".*"$/) return ""
    written = substr(written, 2, length(written) - 2)
    while (at = index(written, "\\")) {
        out = out substr(written, 1, at - 1)
        letter = substr(written, at + 1, 1)
        written = substr(written, at + 2)
        if (letter == "u") {
            code = number_of(substr(written, 1, 4))
            letter = code > 0 && code < 128 ? sprintf("%c", code) : "?"
            written = substr(written, 5)
        }
        else if (letter == "n") letter = "\n"
        else if (letter == "t") letter = "\t"
        else if (letter == "r") letter = "\r"
        else if (letter == "b") letter = "\b"
        else if (letter == "f") letter = "\f"
        out = out letter
    }
    out = out written
    return !any && out ~ /[\001-\037\177]/ ? "" : out
}
function number_of(digits,    each, number) {
    for (each = 1; each <= length(digits); each++)
        number = 16 * number + index(hex_digits, tolower(substr(digits, each, 1))) - 1
    return number
}
function escaped(text) {
    text = replaced(replaced(text, "\\", "\\\\"), "\"", "\\\"")
    return replaced(replaced(replaced(text, "\n", "\\n"), "\r", "\\r"), "\t", "\\t")
}
# Not by gsub, in whose replacement backslashes mean different things to different awks.
function replaced(text, old, new,    out, at) {
    while (at = index(text, old)) {
        out = out substr(text, 1, at - 1) new
        text = substr(text, at + length(old))
    }
    return out text
}

function as_hex(text,    out, each, code) {
    for (each = 1; each <= length(text); each++) {
        code = byte[substr(text, each, 1)]
        out = out substr(hex_digits, int(code / 16) + 1, 1) substr(hex_digits, code % 16 + 1, 1)
    }
    return out
}
function as_url(text,    out, each, letter) {
    for (each = 1; each <= length(text); each++) {
        letter = substr(text, each, 1)
        out = out (letter ~ /[A-Za-z0-9._~-]/ ? letter : "%" toupper(as_hex(letter)))
    }
    return out
}
# Base64 of the part of a text that is encoded alike whatever precedes and follows it: skip bytes are left out, and so is
# what does not fill three.
function as_base64(text, skip,    out, each, bits) {
    for (each = skip + 1; each + 2 <= length(text); each += 3) {
        bits = 65536 * byte[substr(text, each, 1)] + 256 * byte[substr(text, each + 1, 1)] + byte[substr(text, each + 2, 1)]
        out = out substr(letters, int(bits / 262144) + 1, 1) substr(letters, int(bits / 4096) % 64 + 1, 1)
        out = out substr(letters, int(bits / 64) % 64 + 1, 1) substr(letters, bits % 64 + 1, 1)
    }
    return out
}

# --- the deployment's secrets, as mask.awk reads them: lines "<form>" TAB "<value as JSON writes it>", the longest form
# first. Behind an encoded form there is no value. ---

function learn_all(id,    number, value) {
    for (number = 1; number <= entries[id]; number++) {
        value = entry[id, number]
        if (sounds_secret(entry_name[id, number]) && value !~ /^([a-z]+:)?\//) learn(value)
        if (password_of(value) != "") learn(password_of(value))
    }
}
# Words that everybody knows, such as a password that is "production", stand for no secret where they are read.
function learn(value,    written, each, encoded) {
    written = escaped(value)
    if (length(value) < 8 || (value in taken) || shape(written) ~ /^(empty|placeholder|default|unexpanded)$/) return
    taken[value] = 1
    form(written, written)
    if (value !~ /[\n\t]/) form(value, written)
    # Compose doubles dollar signs.
    form(replaced(written, "$", "$$"), written)
    form(replaced(replaced(replaced(written, "&", "\\u0026"), "<", "\\u003c"), ">", "\\u003e"), written)
    # Of what is longer, such as a key, mask.awk knows the look.
    if (length(value) > 400) return
    form(as_url(value)); form(as_hex(value)); form(toupper(as_hex(value)))
    for (each = 0; each < 3; each++) {
        encoded = as_base64(value, each)
        form(encoded); form(replaced(replaced(encoded, "+", "-"), "/", "_"))
    }
}
function form(text, value) {
    if (length(text) < 8 || (text in formed)) return
    formed[text] = 1
    forms[length(text)] = forms[length(text)] text "\t" value "\n"
    if (length(text) > longest) longest = length(text)
}
function learned(    size, out) {
    for (size = longest; size >= 8; size--) out = out forms[size]
    return out
}
