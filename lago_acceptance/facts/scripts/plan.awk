# Decides from the table of all containers (collect.sh) which of them are the deployment's, and what to ask of them.
# Prints assignments for the shell. Environment: wanted_project, wanted_directory, gateway_network. role_of precedes this
# text (render.py). Everything is printed by assign(), which quotes.
function assign(name, value) {
    gsub(/'/, "'\\''", value)
    print name "='" value "'"
}

function plain(text,    out, code, hex) {
    hex = "0123456789abcdef"
    while (match(text, /%[0-9A-Fa-f][0-9A-Fa-f]/)) {
        code = 16 * (index(hex, tolower(substr(text, RSTART + 1, 1))) - 1) + index(hex, tolower(substr(text, RSTART + 2, 1))) - 1
        out = out substr(text, 1, RSTART - 1) sprintf("%c", code)
        text = substr(text, RSTART + 3)
    }
    return out text
}

# Rails accepts URL parameters that psql refuses (search_path, pool): psql gets only those that it knows.
function for_psql(url,    at, count, parts, each, known) {
    at = index(url, "?")
    if (!at) return url
    count = split(substr(url, at + 1), parts, "&")
    for (each = 1; each <= count; each++)
        if (parts[each] ~ /^(ssl[a-z_]*|connect_timeout|options|application_name|host|port|user|password|dbname|channel_binding|gssencmode|target_session_attrs)=/)
            known = known (known == "" ? "?" : "&") parts[each]
    return substr(url, 1, at - 1) known
}

function search_path_of(url, schema,    at, count, parts, each, path) {
    at = index(url, "?")
    count = at ? split(substr(url, at + 1), parts, "&") : 0
    for (each = 1; each <= count; each++)
        if (sub(/^(schema_)?search_path=/, "", parts[each])) path = plain(parts[each])
    if (path == "") path = schema
    gsub(/[^A-Za-z0-9_,"$ -]/, "", path)
    return path
}

# The part of a URL before its last @.
function credentials_of(url,    at) {
    if (!sub(/^[a-z]+:\/\//, "", url) || !match(url, /@[^@]*$/)) return ""
    at = RSTART
    return index(substr(url, 1, at - 1), "/") ? "" : substr(url, 1, at - 1)
}

function value_of(name,    roles, each, number, id) {
    split("api worker clock migrate", roles, " ")
    for (each = 1; each <= 4; each++)
        for (number = 1; number <= count; number++) {
            id = ids[number]
            if (own[id] && role[id] == roles[each] && (id, name) in values) return values[id, name]
        }
    return ""
}

# The line without its first two fields.
function behind() { return substr($0, length($1) + length($2) + 3) }

BEGIN { FS = "\t" }
$1 == "R" {
    ids[++count] = $2; running[$2] = $3 == "true"; owner[$2] = $4; role[$2] = role_of($5, $6)
    split($6, words, " ")
    image[$2] = words[1]
}
$1 == "P" { directory[$2] = $3; files[$2] = $4; env_files[$2] = $5 }
$1 == "L" {
    log_path[$2] = $3; well[$2] = $5 == "healthy"
    if (at = index($4, "/containers/")) docker_root = substr($4, 1, at - 1)
}
$1 == "V" { rest = behind(); at = index(rest, "="); values[$2, substr(rest, 1, at - 1)] = substr(rest, at + 1) }
$1 == "N" && $3 == ENVIRON["gateway_network"] { reached[$2] = 1 }
$1 == "M" { mounted[++mounts] = $2; source[mounts] = behind() }
END {
    wanted = ENVIRON["wanted_directory"]
    for (number = 1; number <= count; number++) {
        id = ids[number]
        if (!(owner[id] in first)) first[owner[id]] = id
        if (owner[id] == "-" || role[id] !~ /^(api|worker|clock|migrate|front)$/ || (owner[id] in seen)) continue
        seen[owner[id]] = 1
        lagos[++found] = owner[id]
    }
    for (number = 1; number <= found; number++) {
        place = directory[first[lagos[number]]]
        listed = listed lagos[number] "\t" place "\n"
        if (wanted != "" && place == wanted) { there++; project_there = lagos[number] }
    }
    project = ENVIRON["wanted_project"]
    if (project == "" && there == 1) project = project_there
    if (project == "" && found == 1) project = lagos[1]

    for (number = 1; number <= count; number++) {
        id = ids[number]
        own[id] = project != "" && owner[id] == project
        if (own[id]) { scope = scope id " "; log_paths = log_paths id "\t" log_path[id] "\n" }
        # Logs of healthy containers that don't run Lago's own code are not read.
        if (own[id] && !(well[id] && role[id] ~ /^(db|redis|front|pdf)$/)) talkers = talkers id " "
        if (own[id] && !(image[id] in named)) { named[image[id]] = 1; references = references image[id] "\n" }
        if (!running[id]) continue
        # The proxy may belong to another project.
        if (own[id] || role[id] == "proxy") members = members role[id] " " id "\n"
        if (role[id] == "gateway" && (id in reached) && gateway == "") gateway = id
        if (role[id] == "api" && own[id] && api == "") api = id
    }
    for (number = 1; number <= mounts; number++) if (own[mounted[number]]) sources = sources source[number] "\n"

    url = value_of("REDIS_URL")
    credentials = credentials_of(url)
    at = index(credentials, ":")
    password = at ? plain(substr(credentials, at + 1)) : ""
    assign("lagos", listed)
    assign("project", project)
    assign("scope", scope)
    assign("talkers", talkers)
    assign("members", members)
    assign("gateway", gateway)
    assign("api", api)
    assign("mounted", sources)
    assign("log_paths", log_paths)
    assign("docker_root", docker_root)
    assign("references", references)
    assign("found_directory", directory[first[project]])
    assign("found_files", files[first[project]])
    assign("found_env_files", env_files[first[project]])
    assign("database_url", for_psql(value_of("DATABASE_URL")))
    assign("search_path", search_path_of(value_of("DATABASE_URL"), value_of("POSTGRES_SCHEMA")))
    assign("redis_user", at ? plain(substr(credentials, 1, at - 1)) : "")
    assign("redis_password", password != "" ? password : value_of("REDIS_PASSWORD"))
    # From 1.19.1 on seeding needs only the second.
    key = value_of("LAGO_API_KEY")
    assign("api_key", key != "" ? key : value_of("LAGO_ORG_API_KEY"))
}
