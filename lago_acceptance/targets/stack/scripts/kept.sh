# Where the services of a stack can be reached from this machine: "<service> <addresses> <ports>", one a line; a port that is
# published is followed by "=<address>:<port>" of the host.
# Variables that precede this text: project.
ids=$(docker ps -q --filter "label=com.docker.compose.project=$project") && [ -n "$ids" ] || exit 0
docker inspect --type container --format '{{index .Config.Labels "com.docker.compose.service"}} {{range .NetworkSettings.Networks}}{{.IPAddress}},{{end}} {{range $port, $at := .NetworkSettings.Ports}}{{$port}}{{range $at}}={{.HostIp}}:{{.HostPort}}{{end}},{{end}}' $ids
