# Decides from the table of all containers (collect.sh) which of them are the deployment's, what to ask of them, and which
# of them may be handed a credential. A deployment is a Compose project, or a stack of Swarm's, or what Lago's containers
# without any such name have in common: a network and DATABASE_URL. Prints assignments for the shell. Environment: wanted_project, wanted_directory,
# gateway_network, files (given by the operator). role_of, sounds_secret and shape precede this text (render.py), as do
# decoded and learn (encodings.awk). Everything is printed by assign(), which quotes.
function assign(name, value) {
    print name "='" replaced(value, "'", "'\\''") "'"
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

# Lago sets it in each session, whatever its role or database is given.
function search_path_of(url, schema,    at, count, parts, each, path) {
    at = index(url, "?")
    count = at ? split(substr(url, at + 1), parts, "&") : 0
    for (each = 1; each <= count; each++)
        if (sub(/^(schema_)?search_path=/, "", parts[each])) path = plain(parts[each])
    if (path == "") path = schema
    if (path == "") path = "public"
    gsub(/[^A-Za-z0-9_,"$ -]/, "", path)
    return path
}

# The part of a URL before its last @.
function credentials_of(url,    at) {
    if (!sub(/^[A-Za-z][A-Za-z0-9+.-]*:\/\//, "", url) || !match(url, /@[^@]*$/)) return ""
    at = RSTART
    return index(substr(url, 1, at - 1), "/") ? "" : substr(url, 1, at - 1)
}
function password_of(url,    credentials) {
    credentials = credentials_of(url)
    if (index(credentials, ":")) return plain(substr(credentials, index(credentials, ":") + 1))
    return url ~ /^[a-z]+:\/\// && match(url, /[?&]password=[^&]*/) ? plain(substr(url, RSTART + 10, RLENGTH - 10)) : ""
}
function host_of(url) {
    sub(/^[A-Za-z][A-Za-z0-9+.-]*:\/\//, "", url)
    sub(/^.*@/, "", url)
    sub(/[:\/?].*/, "", url)
    return url
}

# The container that a variable of Lago's is taken from, "" where none has it.
function keeper_of(name,    roles, each, number, id) {
    split("api worker clock migrate", roles, " ")
    for (each = 1; each <= 4; each++)
        for (number = 1; number <= count; number++) {
            id = ids[number]
            if (own[id] && role[id] == roles[each] && (id, name) in values) return id
        }
    return ""
}
function value_of(name) { return values[keeper_of(name), name] }

# Whether a container's own configuration holds a password: as a variable, in a URL, or as Redis' --requirepass.
function holds(id, password,    number, value, rest) {
    for (number = 1; number <= entries[id]; number++) {
        value = entry[id, number]
        if (value == password || password_of(value) == password) return 1
    }
    rest = command[id]
    while (match(rest, /requirepass(", *"|[ =]+)/)) {
        rest = substr(rest, RSTART + RLENGTH)
        gsub(/^(\\"|')/, "", rest)
        if (index(rest, escaped(password)) == 1 && substr(rest, length(escaped(password)) + 1, 1) ~ /^(["' \\]|$)/) return 1
    }
    return 0
}
# Whether a container is what a URL's host means to the container that the URL was taken from.
function is_reached(id, url, keeper,    host, number) {
    host = host_of(url)
    if (host == "") return 0
    for (number = 1; number <= networks[id]; number++)
        if (on[keeper, network[id, number]] && has_name[id, network[id, number], host]) return 1
    return 0
}
# "trusted": it holds the credential itself, or none is needed. "declared": it may be handed one if the compose file of the
# container that the credential was taken from declares its image. "foreign": no credential for it.
function trust(id, keeper, password, named) {
    if (password == "" || holds(id, password)) return "trusted"
    if (service[id] !~ /^[A-Za-z0-9._-]+$/ || image[id] !~ /^[A-Za-z0-9]+[A-Za-z0-9._\/:@-]*$/) return "foreign"
    if (ENVIRON["files"] == "" && (keeper == "" || files[keeper] != found_files)) return "foreign"
    return named ? "declared" : "foreign"
}
function trust_of(id) {
    if (role[id] == "api") return trust(id, key_keeper, own_key[id] ? "" : api_key, 1)
    if (role[id] == "db") return trust(id, keeper_of("DATABASE_URL"), password_of(database), is_reached(id, database, keeper_of("DATABASE_URL")))
    if (role[id] == "redis") return trust(id, keeper_of("REDIS_URL"), redis_password, is_reached(id, redis, keeper_of("REDIS_URL")))
    return "trusted"
}


# --- containers that no project holds together ---

function share_network(one, other,    number) {
    for (number = 1; number <= networks[one]; number++)
        if (network[one, number] != "none" && on[other, network[one, number]]) return 1
    return 0
}
# Whether one of Lago's URLs in a container of a group names a container.
function is_store_of(id, title,    each, name, number) {
    for (each in together) {
        if (together[each] != title || role[each] !~ /^(api|worker|clock|migrate)$/) continue
        for (number = split("DATABASE_URL REDIS_URL LAGO_REDIS_CACHE_URL LAGO_PDF_URL", urls, " "); number; number--) {
            name = urls[number]
            if ((each, name) in values && is_reached(id, values[each, name], each)) return 1
        }
    }
    return 0
}
# Lago's containers with the same database on a common network, and the front on their network.
function group_loose(    number, other, id, each, roles, groups, fits, title) {
    for (number = 1; number <= count; number++) {
        id = ids[number]
        if (!loose[id] || role[id] !~ /^(api|worker|clock|migrate)$/) continue
        for (other = 1; other < number && !(id in group); other++) {
            each = ids[other]
            if ((each in group) && values[each, "DATABASE_URL"] == values[id, "DATABASE_URL"] && share_network(id, each))
                group[id] = group[each]
        }
        if (!(id in group)) group[id] = ++groups
    }
    for (number = 1; number <= count; number++) {
        id = ids[number]
        if (!loose[id] || role[id] != "front") continue
        fits = 0
        for (other = 1; other <= count; other++) {
            each = ids[other]
            if (!(each in group) || role[each] == "front") continue
            if (values[id, "API_URL"] != "" && values[id, "API_URL"] == values[each, "LAGO_API_URL"]) { fits = group[each]; break }
            if (!fits && share_network(id, each)) fits = group[each]
            else if (fits != group[each] && share_network(id, each)) fits = -1
        }
        group[id] = fits > 0 ? fits : groups == 1 ? 1 : ++groups
    }
    # A group's name is that of its API, else of what it has.
    split("api worker clock migrate front", roles, " ")
    for (each = 1; each <= 5; each++)
        for (number = 1; number <= count; number++) {
            id = ids[number]
            if (!(id in group) || role[id] != roles[each] || (group[id] in titles)) continue
            title = service[id] != "" ? service[id] : name[id]
            while (title in first) title = title "-"
            titles[group[id]] = title
            first[title] = id
        }
    for (id in group) together[id] = titles[group[id]]
    for (number = 1; number <= count; number++) {
        id = ids[number]
        if ((id in together) || role[id] !~ /^(db|redis|pdf)$/ || !(owner[id] == "-" || coolify[id] == "database")) continue
        for (each = 1; each <= groups; each++)
            if ((each in titles) && is_store_of(id, titles[each])) { together[id] = titles[each]; break }
    }
    for (id in together) owner[id] = together[id]
}

# --- stores that no container of the deployment is ---

function is_here(url,    host, number, each, id) {
    host = host_of(url)
    if (host ~ /^(localhost|127\.[0-9.]+)$/) return 1
    for (number = 1; number <= count; number++) {
        id = ids[number]
        if (!own[id]) continue
        for (each = 1; each <= networks[id]; each++)
            if (has_name[id, network[id, each], host] || has_address[id, host]) return 1
    }
    return 0
}
# The running container of Lago's that a store is asked from by one of two variables, "" for one that is asked in its own
# container: the deployment has it, and it has its password or a name in the URL. Without a compose file nothing says whether
# a container may be handed a credential; Lago's own connection needs none.
function asked_from(what, variable, other,    url, roles, number, each, id, here, trusted) {
    url = value_of(variable)
    if (url == "" && value_of(other) == "") return ""
    for (number = 1; number <= count; number++) {
        id = ids[number]
        if (!own[id] || role[id] != what) continue
        here = 1
        if (trust_of(id) != "foreign") trusted = 1
    }
    if (what == "redis" && value_of(other) != "") here = 0
    if (here && (trusted || by_compose[project] && (host_of(url) !~ /\./ || is_here(url)))) return ""
    split("api worker clock", roles, " ")
    for (each = 1; each <= 3; each++)
        for (number = 1; number <= count; number++) {
            id = ids[number]
            if (!own[id] || !running[id] || role[id] != roles[each] || !((id, variable) in values || (id, other) in values)) continue
            if (!here || !is_here(url)) elsewhere = elsewhere what "\t" id "\n"
            return id
        }
    if (!here || !is_here(url)) elsewhere = elsewhere what "\t\n"
    return ""
}

BEGIN { FS = "\t" }
$1 == "R" {
    ids[++count] = $2; running[$2] = $3 == "true"; owner[$2] = decoded($4); image[$2] = decoded($7); command[$2] = $9
    if (owner[$2] == "") owner[$2] = "-"
    else by_compose[owner[$2]] = 1
    service[$2] = decoded($6); name[$2] = decoded($10); sub(/^\//, "", name[$2])
    role[$2] = role_of(decoded($5), image[$2] " " decoded($8) " " $9)
}
$1 == "G" {
    if (owner[$2] == "-" && (text = decoded($3) decoded($4)) != "") owner[$2] = text
    if ((text = decoded($5)) != "" && service[$2] == "") {
        swarm_name[$2] = text
        service[$2] = index(text, decoded($4) "_") == 1 ? substr(text, length(decoded($4)) + 2) : text
    }
    # Swarm keeps the containers of tasks that it has replaced; the newest comes first.
    text = decoded($6); sub(/\.[^.]*$/, "", text)
    if (text != "" && (text in slot_taken) && !running[$2]) { owner[$2] = "-"; role[$2] = "" }
    slot_taken[text] = 1
    coolify[$2] = decoded($7)
    # Kubernetes' own are not judged.
    if (decoded($8) != "") role[$2] = ""
}
$1 == "P" { directory[$2] = decoded($3); files[$2] = decoded($4); env_files[$2] = decoded($5) }
$1 == "L" {
    log_path[$2] = decoded($3); well[$2] = $5 == "healthy"
    if (at = index($4, "/containers/")) docker_root = substr(decoded($4), 1, at - 2)
}
$1 == "E" {
    text = decoded($3, 1); at = index(text, "="); variable = substr(text, 1, at - 1)
    entry[$2, ++entries[$2]] = substr(text, at + 1)
    entry_name[$2, entries[$2]] = variable
    if (variable ~ /^(DATABASE_URL|REDIS_URL|REDIS_PASSWORD|LAGO_API_KEY|LAGO_ORG_API_KEY|POSTGRES_SCHEMA|LAGO_REDIS_CACHE_URL|LAGO_REDIS_SIDEKIQ_SENTINELS|LAGO_PDF_URL|LAGO_API_URL|API_URL)$/) {
        values[$2, variable] = substr(decoded($3), at + 1)
        if (variable ~ /_API_KEY$/ && substr(text, at + 1) != "") own_key[$2] = 1
    }
}
$1 == "N" {
    text = decoded($3)
    network[$2, ++networks[$2]] = text
    on[$2, text] = 1
    if (text == ENVIRON["gateway_network"]) reached[$2] = 1
    has_name[$2, text, name[$2]] = 1
    if ($2 in swarm_name) has_name[$2, text, service[$2]] = has_name[$2, text, swarm_name[$2]] = 1
    if (match($4, /"IPAddress":"[0-9.]+"/)) has_address[$2, substr($4, RSTART + 13, RLENGTH - 14)] = 1
    while (match($4, /"(Aliases|DNSNames)":\[("[^"\\]*",?)+\]/)) {
        at = split(substr($4, RSTART, RLENGTH), parts, "\"")
        for (number = 4; number <= at; number += 2) has_name[$2, text, parts[number]] = 1
        $4 = substr($4, RSTART + RLENGTH)
    }
}
$1 == "M" { mounted[++mounts] = $2; source[mounts] = decoded($3) }
# Where a proxy may keep its certificates. Of other containers, volumes hold the deployment's data.
$1 == "V" && role[$2] == "proxy" { proxy_mounts = proxy_mounts decoded($3) "\n" }
END {
    wanted = ENVIRON["wanted_directory"]
    for (number = 1; number <= count; number++)
        if (role[ids[number]] ~ /^(api|worker|clock|migrate|front)$/) lagos_in[owner[ids[number]]]++
    for (number = 1; number <= count; number++) {
        id = ids[number]
        # Each of Coolify's applications is a project of its own, be it one container.
        loose[id] = owner[id] == "-" || (coolify[id] == "application" && lagos_in[owner[id]] == 1)
        if (!loose[id] && !(owner[id] in first)) first[owner[id]] = id
    }
    group_loose()
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

    for (number = 1; number <= count; number++) own[ids[number]] = project != "" && owner[ids[number]] == project
    database = value_of("DATABASE_URL")
    redis = value_of("REDIS_URL")
    redis_password = password_of(redis)
    if (redis_password == "") redis_password = value_of("REDIS_PASSWORD")
    # From 1.19.1 on seeding needs only the second.
    key_keeper = keeper_of("LAGO_API_KEY")
    api_key = values[key_keeper, "LAGO_API_KEY"]
    if (api_key == "") { key_keeper = keeper_of("LAGO_ORG_API_KEY"); api_key = values[key_keeper, "LAGO_ORG_API_KEY"] }
    # The files of a container that Lago's own credentials are taken from; any other may have its labels from its image.
    keeper = keeper_of("DATABASE_URL")
    if (keeper == "") keeper = key_keeper
    if (keeper == "") keeper = first[project]
    found_files = files[keeper]

    for (number = 1; number <= count; number++) {
        id = ids[number]
        if (own[id]) { scope = scope id " "; log_paths = log_paths id "\t" log_path[id] "\n" }
        # Logs of healthy containers that don't run Lago's own code are not read.
        if (own[id] && !(well[id] && role[id] ~ /^(db|redis|front|pdf)$/)) talkers = talkers id " "
        if (own[id] && !(image[id] in named)) { named[image[id]] = 1; references = references image[id] "\n" }
        if (own[id] || role[id] ~ /^(proxy|gateway)$/) learn_all(id)
        if (!running[id]) {
            if (role[id] == "gateway" && (id in reached) && ended_gateway == "") ended_gateway = id
            continue
        }
        # The proxy may belong to another project.
        if (own[id] || role[id] == "proxy")
            members = members role[id] " " id " " trust_of(id) " " name[id] " " service[id] " " image[id] "\n"
        if (role[id] == "gateway" && (id in reached) && gateway == "") gateway = id
        if (role[id] == "api" && own[id] && api == "") api = id
    }
    if (project != "") {
        database_from = asked_from("db", "DATABASE_URL")
        redis_from = asked_from("redis", "REDIS_URL", "LAGO_REDIS_SIDEKIQ_SENTINELS")
    }
    for (number = 1; number <= mounts; number++) {
        if (own[mounted[number]]) sources = sources source[number] "\n"
        if (role[mounted[number]] == "proxy") proxy_mounts = proxy_mounts source[number] "\n"
    }

    at = index(credentials_of(redis), ":")
    assign("lagos", listed)
    assign("project", project)
    assign("scope", scope)
    assign("elsewhere", elsewhere)
    assign("database_from", database_from)
    assign("redis_from", redis_from)
    assign("talkers", talkers)
    assign("members", members)
    assign("gateway", gateway)
    assign("ended_gateway", ended_gateway)
    assign("api", api)
    assign("mounted", sources)
    assign("proxy_mounts", proxy_mounts)
    assign("log_paths", log_paths)
    assign("docker_root", docker_root)
    assign("references", references)
    assign("found_directory", directory[keeper])
    assign("found_files", found_files)
    assign("found_env_files", env_files[keeper])
    assign("database_url", for_psql(database))
    assign("search_path", search_path_of(database, value_of("POSTGRES_SCHEMA")))
    assign("redis_user", at ? plain(substr(credentials_of(redis), 1, at - 1)) : "")
    assign("redis_password", redis_password)
    assign("redis_database", match(redis, /\/[0-9]+(\?.*)?$/) ? substr(redis, RSTART + 1) + 0 : 0)
    assign("api_key", api_key)
    assign("secrets", learned())
}
