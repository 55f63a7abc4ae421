# Which daemon this is, and what runs on it: "endpoint <where>", "version <which>", a line "listed <name>" for each network of
# this suite, and a line of JSON for each Compose project, running container and network: a label may hold anything.
# Variables that precede this text: run_label, project_label.
printf 'endpoint %s\n' "${DOCKER_HOST:-$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null)}"
docker version --format 'version {{.Server.Version}} {{.Server.Os}}' 2>&1 &&
    containers=$(docker ps -q --no-trunc 2>&1) &&
    # Before a run's own networks, which it makes first and removes last.
    projects=$(for kind in 'ps -a' 'volume ls' 'network ls'; do
        docker $kind --filter "label=$project_label" --format "project {{json (.Label \"$project_label\")}}" 2>&1 || exit 1
    done) &&
    networks=$(docker network ls --no-trunc --filter "label=$run_label" --format '{{.ID}} listed {{.Name}}' 2>&1) || {
    printf '%s\n%s\n%s\nunanswered\n' "$containers" "$projects" "$networks"
    exit 0
}
printf '%s\n' "$projects" | sort -u
printf '%s\n' "$networks" | cut -d' ' -f2-
# What is removed meanwhile is missing.
[ -z "$containers" ] || docker inspect --type container --format 'container {"id":{{json .Id}},"name":{{json .Name}},"labels":{{json .Config.Labels}},"image":{{json .Config.Image}},"path":{{json .Path}},"args":{{json .Args}},"mounts":{{json .Mounts}},"network":{{json .HostConfig.NetworkMode}},"ports":{{json .NetworkSettings.Ports}}}' $containers 2>/dev/null
[ -z "$networks" ] || docker network inspect --format 'network {"name":{{json .Name}},"labels":{{json .Labels}}}' $(printf '%s\n' "$networks" | cut -d' ' -f1) 2>/dev/null
exit 0
