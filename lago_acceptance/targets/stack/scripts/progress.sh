# How far the containers of a project are: one JSON object a line; for those that failed their last words, "L <id> <line>".
# Variables that precede this text: project.
ids=$(docker ps -aq --no-trunc --filter "label=com.docker.compose.project=$project") || exit 1
[ -n "$ids" ] || exit 0
seen=$(docker inspect --type container --format 'S {{.Id}} {{.State.ExitCode}} {{.RestartCount}}
{"id":{{json .Id}},"name":{{json .Name}},"path":{{json .Path}},"args":{{json .Args}},"state":{{json .State}},"restarts":{{.RestartCount}},"image":{{json .Config.Image}},"labels":{{json .Config.Labels}},"healthcheck":{{with index .Config "Healthcheck"}}{{json .}}{{else}}null{{end}}}' $ids 2>/dev/null)
printf '%s\n' "$seen" | while read -r kind id code restarts; do
    case $kind in
        S) [ "$code $restarts" = "0 0" ] || docker logs --tail 80 "$id" 2>&1 | cut -c1-300 | sed "s|^|L $id |" ;;
    esac
done
printf '%s\n' "$seen"
