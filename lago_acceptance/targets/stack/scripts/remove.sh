# Removes what one run has made: the containers, volumes and networks of its projects, then its own networks.
# $1 is the projects' common name. Prints what is still there afterwards, or why that can't be seen.
# All containers first: one of them may be on another project's network.
for project in "$1" "$1-edge" "$1-gateway"; do
    docker ps -aq --filter "label=com.docker.compose.project=$project" | xargs -r docker rm -fv >/dev/null 2>&1
done
for project in "$1" "$1-edge" "$1-gateway"; do
    label="label=com.docker.compose.project=$project"
    docker volume ls -q --filter "$label" | xargs -r docker volume rm -f >/dev/null 2>&1
    docker network ls -q --filter "$label" | xargs -r docker network rm >/dev/null 2>&1
done
docker network ls -q --filter "label=lago-acceptance.run=${1#lago-acceptance-}" | xargs -r docker network rm >/dev/null 2>&1
# Docker 20.10 loses count of a network's containers when one is removed while it starts.
held() {
    said=$(docker network rm "$1" 2>&1) && return
    case "$said $(docker network inspect --format '{{len .Containers}}' "$1" 2>&1)" in
        *"active endpoints"*" 0") printf 'network %s: Docker reports active endpoints, but no container is attached (restart Docker to free it)\n' "$1" ;;
        *) printf 'network %s\n' "$1" ;;
    esac
}
{
    docker ps -a --filter "name=$1" --format 'container {{.Names}}' &&
        docker volume ls --filter "name=$1" --format 'volume {{.Name}}' &&
        docker network ls --filter "name=$1" --format '{{.Name}}' | while read -r network; do held "$network"; done
} 2>&1
