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
{
    docker ps -a --filter "name=$1" --format 'container {{.Names}}' &&
        docker volume ls --filter "name=$1" --format 'volume {{.Name}}' &&
        docker network ls -q --filter "name=$1" | xargs -r docker network inspect --format '{{if not .Containers}}empty {{end}}network {{.Name}}' 2>/dev/null
} 2>&1
