"""What of a stranger's compose file reaches this machine when it is brought up: nothing, and a run says what it took."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest
import yaml

from lago_acceptance.composefile.cli import Project
from lago_acceptance.composefile.resolve import resolve
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.model.hidden_labels import as_written
from lago_acceptance.targets.stack.mounts import Places, read_only_mount
from lago_acceptance.targets.stack.overlay import binds, overlay, verify
from tests.support.paths import DATA, ROOT


class BroughtUp:
    """What would be started of a compose file, and what the run says about it."""

    def __init__(self, folder: Path, text: str, *allowed: Path, docker_socket: Path | None = None):
        (folder / "project").mkdir(exist_ok=True)
        (folder / "private").mkdir(exist_ok=True)
        file = folder / "project" / "compose.yml"
        file.write_text(text)
        self.project = Project(name="run", files=(file,))
        self.places = Places(file.parent, folder / "private", allowed, docker_socket)
        self.places.empty_file.touch()
        declared = resolve(self.project)
        networks = {
            each.name: f"run-{each.key}"
            for each in declared.model.networks
            if each.external or each.name != f"run_{each.key}"
        }
        changes = overlay(declared, {}, networks, self.places)
        self.told, self.text = changes.told, changes.text
        (folder / "overlay.yml").write_text(changes.text)
        self.document = verify(self.project.with_file(folder / "overlay.yml"), networks, self.places).document

    def service(self, name: str = "a") -> dict:
        return self.document["services"][name]

    def mounts(self, name: str = "a") -> dict[str, dict]:
        return {mount["target"]: mount for mount in self.service(name).get("volumes", ())}


@pytest.fixture
def bring_up(tmp_path):
    """Call it with the text of a compose file."""
    return lambda text, *allowed, **more: BroughtUp(tmp_path, text, *allowed, **more)


def one(**options) -> str:
    return yaml.safe_dump({"services": {"a": {"image": "i", **options}}})


OPTIONS = {
    "privileged": True,
    "devices": ["/dev/sda:/dev/sda"],
    "device_cgroup_rules": ["a *:* rwm"],
    "gpus": "all",
    "cap_add": ["SYS_ADMIN"],
    "security_opt": ["seccomp:unconfined", "apparmor=unconfined", "no-new-privileges:false"],
    "network_mode": "host",
    "pid": "host",
    "ipc": "host",
    "uts": "host",
    "userns_mode": "host",
    "cgroup": "host",
    "cgroup_parent": "/system.slice",
    "runtime": "other",
    "oom_score_adj": -1000,
    "oom_kill_disable": True,
    "cpu_rt_runtime": 950000,
    "blkio_config": {"device_write_bps": [{"path": "/dev/sda", "rate": 1}]},
    "external_links": ["production-db:db"],
    "volumes_from": ["container:production-db"],
    "use_api_socket": True,
    "credential_spec": {"file": "spec.json"},
    "annotations": {"run.oci.handler": "other"},
}


@pytest.fixture(scope="module")
def optioned(tmp_path_factory) -> BroughtUp:
    """One service for each option, called after it."""
    services = {key: {"image": "i", key: value} for key, value in OPTIONS.items()}
    return BroughtUp(tmp_path_factory.mktemp("options"), yaml.safe_dump({"services": services}))


@pytest.mark.parametrize("key", OPTIONS)
def test_an_option_that_reaches_the_host_is_left_out_and_told(optioned, key):
    assert not optioned.service(key).get(key)
    assert any(line.startswith(f"{key}: {key} ") for line in optioned.told), optioned.told


@pytest.mark.parametrize("kind", ["network_mode", "pid", "ipc"])
def test_the_namespace_of_a_foreign_container_is_left_out(bring_up, kind):
    made = bring_up(one(**{kind: "container:production-db"}))
    assert not made.service().get(kind) and made.told


def test_what_stays_inside_a_container_is_not_touched(bring_up):
    harmless = {
        "cap_add": ["CHOWN", "CAP_SETUID"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "ipc": "private",
        "sysctls": {"net.core.somaxconn": "1024"},
        "ulimits": {"nofile": 1024},
        "shm_size": "64m",
        "extra_hosts": ["a:127.0.0.1"],
        "tmpfs": ["/tmp"],
        "logging": {"driver": "json-file", "options": {"max-size": "1m"}},
        "volumes": [{"type": "tmpfs", "target": "/t"}, "/anonymous"],
        "post_start": [{"command": ["true"]}],
    }
    made = bring_up(one(**harmless))
    written = resolve(made.project).document
    del made.service()["labels"]
    assert made.told == () and made.document == written


def test_what_is_harmless_of_an_option_stays(bring_up):
    made = bring_up(
        one(cap_add=["SYS_ADMIN", "CHOWN"], security_opt=["seccomp:unconfined", "no-new-privileges"])
    )
    assert made.service()["cap_add"] == ["CHOWN"]
    assert made.service()["security_opt"] == ["no-new-privileges"]


def test_logs_are_not_sent_away(bring_up):
    made = bring_up(one(logging={"driver": "syslog", "options": {"syslog-address": "udp://192.0.2.1"}}))
    assert made.service()["logging"] == {"driver": "json-file"}


def test_a_hook_has_no_more_rights_than_its_container(bring_up):
    made = bring_up(one(post_start=[{"command": ["ls"], "privileged": True, "user": "1"}]))
    assert made.service()["post_start"] == [{"command": ["ls"], "user": "1"}]


def test_reserved_devices_are_left_out_and_reserved_memory_stays(bring_up):
    reserved = {"memory": "64M", "devices": [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}]}
    made = bring_up(one(deploy={"resources": {"reservations": reserved}}))
    assert made.service()["deploy"]["resources"]["reservations"] == {"memory": "67108864"}


def test_a_provider_is_refused_in_one_sentence(bring_up):
    with pytest.raises(UsageError, match="a has a provider") as refused:
        bring_up(yaml.safe_dump({"services": {"a": {"provider": {"type": "sh"}}}}))
    assert "\n" not in str(refused.value)


FOLDERS = ("/", "/etc", "/proc", "/sys", "/dev", "/var/lib", "~", "..", "/nowhere/at/all", "./out", ".")
FILES = ("/etc/shadow", "/etc/passwd", "/dev/zero", "./link", "./socket", "./pipe")


@pytest.fixture(scope="module")
def mounted(tmp_path_factory) -> BroughtUp:
    """Services that mount each of these: r0 and so on read-only, and w0 and so on writable."""
    parent = tmp_path_factory.mktemp("mounts")
    folder = parent / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / "out").symlink_to("/etc")
    (folder / "link").symlink_to("/etc/shadow")
    os.mkfifo(folder / "pipe")
    services = {
        f"{mode[0]}{number}": {"image": "i", "volumes": [f"{source}:/mounted:{mode}"]}
        for mode in ("ro", "wr")
        for number, source in enumerate((*FOLDERS, *FILES))
    }
    text = yaml.safe_dump({"services": services}).replace(":wr", ":rw")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.open(folder, os.O_RDONLY)
        try:
            # A socket's path must be short.
            server.bind(f"/proc/self/fd/{here}/socket")
        finally:
            os.close(here)
        return BroughtUp(parent, text)


@pytest.mark.parametrize("mode", ["r", "w"])
@pytest.mark.parametrize("number", range(len(FOLDERS)), ids=FOLDERS)
def test_a_folder_of_the_host_is_a_volume_of_the_run(mounted, number, mode):
    assert mounted.mounts(f"{mode}{number}")["/mounted"]["type"] == "volume" and binds(mounted.document) == ()


@pytest.mark.parametrize("mode", ["r", "w"])
@pytest.mark.parametrize("number", range(len(FOLDERS), len(FOLDERS) + len(FILES)), ids=FILES)
def test_a_file_of_the_host_is_not_mounted(mounted, number, mode):
    assert mounted.mounts(f"{mode}{number}") == {}


def test_what_is_not_mounted_is_told(mounted):
    assert len(mounted.told) == len(FOLDERS) + len(FILES)
    assert any("an empty volume is mounted at /mounted instead of /etc" in line for line in mounted.told)
    assert any("/etc/shadow is not mounted at /mounted" in line for line in mounted.told)
    assert all(f"# {line}" in mounted.text for line in mounted.told)


def test_the_docker_socket_is_not_mounted(bring_up, tmp_path):
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        made = bring_up(one(volumes=[f"{path}:/var/run/docker.sock:ro"]))
    assert binds(made.document) == ()


USUAL = "/var/run/docker.sock"
DOCKER_SOCKETS = {
    "short": (f"{USUAL}:{USUAL}", USUAL),
    "short, read-only": (f"{USUAL}:{USUAL}:ro", USUAL),
    "/run": ("/run/docker.sock:/run/docker.sock", "/run/docker.sock"),
    "another folder": (f"{USUAL}:/tmp/docker.sock:ro,z", "/tmp/docker.sock"),
    "another name inside": (f"{USUAL}:/host/engine:ro", "/host/engine"),
    "another name outside": (f"/run/podman/podman.sock:{USUAL}", USUAL),
    "rootless": (f"/run/user/1000/docker.sock:{USUAL}", USUAL),
    "variable": (f"${{DOCKER_SOCK:-{USUAL}}}:{USUAL}", USUAL),
    "long": ({"type": "bind", "source": USUAL, "target": USUAL}, USUAL),
    "long, with options": (
        {"type": "bind", "source": USUAL, "target": USUAL, "bind": {"propagation": "rshared"}},
        USUAL,
    ),
}


@pytest.mark.parametrize(("mount", "target"), DOCKER_SOCKETS.values(), ids=DOCKER_SOCKETS)
def test_the_docker_socket_becomes_the_runs_own(bring_up, tmp_path, mount, target):
    own = tmp_path / "private" / "docker.sock"
    made = bring_up(one(volumes=[mount, "/etc:/host-etc:ro"]), docker_socket=own)
    assert made.mounts()[target] == read_only_mount(target, own)
    assert (
        read_only_mount(target, own)["read_only"]
        and not read_only_mount(target, own)["bind"]["create_host_path"]
    )
    assert binds(made.document) == (str(own),)
    assert made.told[0] == "a: the Docker socket shows this run's containers only, and changes none"


def test_the_docker_socket_that_an_option_names_is_mounted(bring_up, tmp_path):
    text = one(volumes=[f"{USUAL}:{USUAL}:ro"])
    made = bring_up(text, Path(USUAL), docker_socket=tmp_path / "docker.sock")
    assert binds(made.document) == (USUAL,) and made.told == ()


def test_a_folder_with_the_docker_socket_stays_a_volume_of_the_run(bring_up, tmp_path):
    made = bring_up(one(volumes=["/var/run:/var/run"]), docker_socket=tmp_path / "docker.sock")
    assert binds(made.document) == ()


def test_services_with_the_docker_socket_are_told_in_one_line(bring_up, tmp_path):
    services = {name: {"image": "i", "volumes": [f"{USUAL}:{USUAL}"]} for name in ("companion", "traefik")}
    made = bring_up(yaml.safe_dump({"services": services}), docker_socket=tmp_path / "docker.sock")
    assert made.told == (
        "companion, traefik: the Docker socket shows this run's containers only, and changes none",
    )


def test_files_beside_the_compose_file_are_mounted_read_only(bring_up, tmp_path):
    folder = tmp_path / "project"
    (folder / "settings").mkdir(parents=True)
    (folder / "settings" / "one.conf").write_text("")
    (folder / "init.sql").write_text("")
    made = bring_up(
        one(volumes=["./init.sql:/docker-entrypoint-initdb.d/init.sql", "./settings:/etc/settings"])
    )
    assert all(mount["type"] == "bind" and mount["read_only"] for mount in made.mounts().values())
    assert len(made.told) == 2


def test_data_beside_the_compose_file_are_never_written(bring_up, tmp_path):
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "of-production").write_text("")
    made = bring_up(
        one(volumes=["./data:/var/lib/postgresql/data", "./data:/opt/own/data", "./new:/etc/new"])
    )
    assert {mount["type"] for mount in made.mounts().values()} == {"volume"}
    assert not (folder / "new").exists()


def test_services_that_share_a_folder_share_its_volume(bring_up):
    made = bring_up(yaml.safe_dump({"services": {
        name: {"image": "i", "volumes": ["/srv/files:/app/storage"]} for name in ("a", "b")
    }}))  # fmt: skip
    assert made.mounts("a") == made.mounts("b")
    assert [line.split(":")[0] for line in made.told] == ["a, b"]


@pytest.mark.parametrize("hidden", [".git/config", ".ssh/id_ed25519", ".netrc", "home"])
def test_hidden_files_beside_the_compose_file_are_not_mounted(bring_up, tmp_path, hidden):
    path = tmp_path / "project" / hidden
    if hidden == "home":
        path /= ".ssh/id"
    path.parent.mkdir(parents=True)
    path.write_text("")
    assert binds(bring_up(one(volumes=[f"./{hidden}:/mounted:ro"])).document) == ()


def test_public_files_are_mounted_read_only(bring_up):
    made = bring_up(one(volumes=["/usr/share/zoneinfo:/usr/share/zoneinfo:ro"]))
    assert made.told == () and binds(made.document) == ("/usr/share/zoneinfo",)


def test_an_option_names_what_may_be_mounted(bring_up, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    made = bring_up(one(volumes=[f"{data}:/data", f"{data}/../other:/other"]), data)
    assert made.mounts()["/data"]["type"] == "bind" and not made.mounts()["/data"].get("read_only")
    assert made.mounts()["/other"]["type"] == "volume"


@pytest.mark.parametrize("options", [{"propagation": "rshared"}, {"selinux": "Z"}])
def test_a_mount_changes_nothing_of_its_source(bring_up, tmp_path, options):
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "file").write_text("")
    mount = {"type": "bind", "source": "./file", "target": "/file", "read_only": True, "bind": options}
    assert not bring_up(one(volumes=[mount])).mounts()["/file"].get("bind")


@pytest.mark.parametrize(
    "definition",
    [
        {"driver_opts": {"type": "none", "o": "bind", "device": "/"}},
        {"driver_opts": {"type": "nfs", "o": "addr=192.0.2.1", "device": ":/"}},
        {"driver": "somebodys/plugin"},
        {"external": True, "name": "of-production"},
        {"name": "of-production"},
    ],
)
def test_a_volume_is_one_of_the_run(bring_up, definition):
    made = bring_up(yaml.safe_dump({
        "services": {"a": {"image": "i", "volumes": ["data:/data"]}}, "volumes": {"data": definition},
    }))  # fmt: skip
    assert made.document["volumes"]["data"] == {"name": "run_data"} and "volume data" in made.told[0]


@pytest.mark.parametrize(
    "definition",
    [
        {"driver": "macvlan", "driver_opts": {"parent": "eth0"}},
        {"driver": "host"},
        {"driver_opts": {"com.docker.network.bridge.name": "docker0"}},
        {"ipam": {"config": [{"subnet": "127.0.0.0/8"}]}},
    ],
)
def test_a_network_is_a_bridge_of_the_run(bring_up, definition):
    made = bring_up(yaml.safe_dump({
        "services": {"a": {"image": "i", "networks": {"n": {"ipv4_address": "127.0.0.9"}}}},
        "networks": {"n": definition},
    }))  # fmt: skip
    network = made.document["networks"]["n"]
    assert network == {"name": "run_n", "ipam": {}} and made.service()["networks"] == {"n": {}}


def test_a_network_of_the_host_is_replaced(bring_up):
    made = bring_up(yaml.safe_dump({
        "services": {"a": {"image": "i", "networks": ["n", "m"], "labels": {"traefik.docker.network": "fixed"}}},
        "networks": {"n": {"external": True, "name": "production"}, "m": {"name": "fixed", "internal": True}},
    }))  # fmt: skip
    names = {network["name"] for network in made.document["networks"].values()}
    assert names == {"run-n", "run-m"} and as_written(made.service()["labels"]) == {
        "traefik.docker.network": "run-m"
    }


@pytest.mark.parametrize("kind", ["secrets", "configs"])
def test_a_file_of_the_host_is_no_secret_or_config(bring_up, tmp_path, kind):
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "own").write_text("")
    made = bring_up(yaml.safe_dump({
        "services": {"a": {"image": "i", kind: ["shadow", "own"]}},
        kind: {"shadow": {"file": "/etc/shadow"}, "own": {"file": "./own"}},
    }))  # fmt: skip
    assert made.document[kind]["shadow"]["file"] == str(made.places.empty_file)
    assert made.document[kind]["own"]["file"] == str(tmp_path / "project" / "own")


def test_models_are_not_started(bring_up):
    made = bring_up(yaml.safe_dump({
        "services": {"a": {"image": "i", "models": ["m"]}}, "models": {"m": {"model": "somebodys/model"}},
    }))  # fmt: skip
    assert "models" not in made.document and "models" not in made.service()


def test_what_an_overlay_forgot_is_refused_in_one_sentence(bring_up, tmp_path):
    made = bring_up(one())
    (tmp_path / "forgot.yml").write_text(one(privileged=True))
    with pytest.raises(UsageError, match="privileged") as refused:
        verify(made.project.with_file(tmp_path / "forgot.yml"), {}, made.places)
    assert "\n" not in str(refused.value) and "lago-gate" in str(refused.value)


def test_labels_for_a_swarm_do_not_reach_the_container(bring_up):
    labels = {"dollars": "$$a$$b", "traefik.b": ""}
    made = bring_up(one(labels=labels, deploy={"labels": {"traefik.enable": "true", "of": "swarm"}}))
    assert as_written(made.service()["labels"]) == labels


def test_labels_that_another_traefik_obeys_are_refused(bring_up, tmp_path):
    made = bring_up(one())
    (tmp_path / "visible.yml").write_text(one(labels={"traefik.enable": "true"}))
    for files in ((tmp_path / "visible.yml",), (tmp_path / "overlay.yml", tmp_path / "visible.yml")):
        project = Project(name="run", files=(*made.project.files, *files))
        with pytest.raises(UsageError, match="labels"):
            verify(project, {}, made.places)


@pytest.mark.parametrize(
    "options",
    [{"ports": ["80:80"]}, {"container_name": "lago-api"}, {"networks": ["foreign"]}],
)
def test_what_is_shared_with_the_machine_is_refused(tmp_path, options):
    file = tmp_path / "compose.yml"
    foreign = {"networks": {"foreign": {"external": True}}} if "networks" in options else {}
    file.write_text(yaml.safe_dump({"services": {"a": {"image": "i", **options}}, **foreign}))
    with pytest.raises(UsageError):
        verify(Project(name="run", files=(file,)), {}, Places(tmp_path, tmp_path))


def test_the_shipped_file_keeps_its_mounts(tmp_path):
    private = tmp_path / "private"
    private.mkdir()
    subprocess.run(["sh", ROOT / "compose/provision.sh", private], check=True, capture_output=True)
    key = private / "lago_rsa_private.pem"
    project = Project(
        name="run",
        files=(ROOT / "compose/docker-compose.lago.yml",),
        env_files=(private / ".env.lago",),
        variables={"LAGO_RSA_KEY_FILE": str(key)},
    )
    changes = overlay(resolve(project), {}, {}, Places(ROOT / "compose", private))
    assert changes.told == ()


WITH_A_PROXY_OF_ITS_OWN = """
services:
  traefik:
    image: traefik:v3.1
    command: [--providers.docker=true, --entrypoints.web.address=:80]
    ports: ["80:80", "443:443"]
    volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro", "./letsencrypt:/letsencrypt", "./traefik.yml:/etc/traefik/traefik.yml"]
  db:
    image: getlago/postgres-partman:15
    container_name: lago-db
    volumes: ["lago_postgres_data:/data/postgres", "./init.sql:/docker-entrypoint-initdb.d/init.sql"]
  redis: {image: "redis:7-alpine", volumes: ["./redis:/data"]}
  api:
    image: getlago/api:v1.16.0
    command: [./scripts/start.api.sh]
    volumes: ["lago_storage_data:/app/storage", "./lago_rsa_private.pem:/run/key.pem:ro", "/etc/localtime:/etc/localtime:ro"]
    labels: {traefik.enable: "true", traefik.http.routers.api.rule: "Host(`api.example.com`)"}
  events-processor: {image: "getlago/events-processor:v1.16.0", env_file: [.env]}
  pdf: {image: "getlago/lago-gotenberg:7", cap_drop: [ALL]}
volumes: {lago_postgres_data: {}, lago_storage_data: {}}
"""


def test_a_deployment_with_a_proxy_of_its_own_keeps_what_it_needs(bring_up, tmp_path):
    folder = tmp_path / "project"
    (folder / "letsencrypt").mkdir(parents=True)
    for name in ("init.sql", "traefik.yml", "lago_rsa_private.pem", ".env"):
        (folder / name).write_text("")
    made = bring_up(WITH_A_PROXY_OF_ITS_OWN)
    assert set(binds(made.document)) == {
        *(str(folder / name) for name in ("init.sql", "traefik.yml", "lago_rsa_private.pem")),
        "/etc/localtime",
    }
    assert {line.split(":")[0] for line in made.told} == {"traefik", "db", "redis"}
    assert made.mounts("api")["/app/storage"]["source"] == "lago_storage_data"
    assert made.service("pdf")["cap_drop"] == ["ALL"]
    assert as_written(made.service("api")["labels"])["traefik.enable"] == "true"
    assert not made.service("db").get("container_name")
    assert all(port["host_ip"] == "127.0.0.1" for port in made.service("traefik")["ports"])


def test_another_style_is_told_once(bring_up):
    text = (DATA / "another_style.yml").read_text().replace(":?}", ":-x}")
    assert len(bring_up(text).told) == 2


def test_the_overlay_is_a_compose_file_with_its_reasons(bring_up):
    made = bring_up(one(privileged=True, pid="host"))
    assert [line for line in made.text.splitlines() if line.startswith("# a: ")] == [
        f"# {line}" for line in made.told
    ]
    assert json.dumps(made.document)
