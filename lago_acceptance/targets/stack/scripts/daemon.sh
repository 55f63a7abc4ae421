# Which daemon this is, and what runs on it: "endpoint <where>", then a line a container.
printf 'endpoint %s\n' "${DOCKER_HOST:-$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null)}"
docker version --format 'version {{.Server.Version}} {{.Server.Os}}' 2>&1 || { echo unanswered; exit 0; }
docker ps --no-trunc --format '{{.ID}}' | while read -r id; do
    docker inspect --format 'container	{{.Name}}	{{or (index .Config.Labels "com.docker.compose.project") "-"}}	{{.Config.Image}}	{{.Path}} {{join .Args " "}}' "$id" 2>/dev/null | tr '\n' ' '
    echo
done
for network in $(docker network ls --filter "label=$run_label" --format '{{.Name}}'); do
    docker network inspect --format 'owned	{{.Name}}	{{index .Labels "lago-acceptance.run"}}	{{index .Labels "lago-acceptance.owner"}}' "$network" 2>/dev/null
done
