# How far the containers of a project are: one JSON object a line; for those that failed their last words, "L <id> <line>".
# Variables that precede this text: project.
ids=$(docker ps -aq --no-trunc --filter "label=com.docker.compose.project=$project") || exit 1
[ -n "$ids" ] || exit 0
docker inspect --type container --format '{"id":{{json .Id}},"name":{{json .Name}},"path":{{json .Path}},"args":{{json .Args}},"state":{{json .State}},"restarts":{{.RestartCount}},"image":{{json .Config.Image}},"labels":{{json .Config.Labels}},"healthcheck":{{with index .Config "Healthcheck"}}{{json .}}{{else}}null{{end}}}' $ids 2>/dev/null
for id in $ids; do
    case $(docker inspect --format '{{.State.ExitCode}} {{.RestartCount}} {{.State.Status}}' "$id" 2>/dev/null) in
        0\ 0\ * | "") ;;
        *) docker logs --tail 80 "$id" 2>&1 | cut -c1-300 | sed "s|^|L $id |" ;;
    esac
done
