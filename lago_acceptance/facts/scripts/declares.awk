# Whether what Compose prints as JSON declares a service with an image: exit code 0 if so. Environment: wanted_service,
# wanted_image. Strings have no line feeds in them, so a line's indentation says what it belongs to. A swarm adds the digest
# to the image that the file names.
function text_of(line) {
    sub(/,$/, "", line)
    sub(/^[^:]*: "/, "", line)
    sub(/"$/, "", line)
    return line
}
BEGIN { image = ENVIRON["wanted_image"]; tagged = image; sub(/@sha256:[0-9a-f]*$/, "", tagged) }
/^  [^ ]/ { services = /^  "services": [{]/ }
services && /^    "/ { name = $1; gsub(/[":]/, "", name) }
services && name == ENVIRON["wanted_service"] && /^      "image": "/ && (text_of($0) == image || text_of($0) == tagged) { found = 1 }
END { exit !found }
