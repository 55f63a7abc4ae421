"""The model of a declared deployment, from ``docker compose config``."""

from __future__ import annotations

from typing import Any

from lago_acceptance.core.roles import role_of
from lago_acceptance.model.deployment import Healthcheck, Model, Mount, Network, Port, Service, Volume
from lago_acceptance.model.hidden_labels import as_written
from lago_acceptance.model.units import seconds, size_in_bytes


def words(value: str | list[Any] | None) -> tuple[str, ...]:
    """A command, entrypoint or test as a tuple of words."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(str(word) for word in value)


def _literal(value: str) -> str:
    """A value of Compose's output, where every dollar sign is doubled."""
    return value.replace("$$", "$")


def declared(document: dict[str, Any]) -> Model:
    """The model of ``docker compose config --format json``."""
    services = tuple(
        _declared_service(name, raw or {}, document) for name, raw in (document.get("services") or {}).items()
    )
    contents = {key: (raw or {}).get("content") for key, raw in (document.get("configs") or {}).items()}
    return Model(
        observed=False,
        files={
            inline_config_path(key): _literal(content)
            for key, content in contents.items()
            if content is not None
        },
        project=document.get("name", ""),
        services=services,
        networks=tuple(
            Network(
                key,
                (raw or {}).get("name", key),
                bool((raw or {}).get("external")),
                bool((raw or {}).get("internal")),
            )
            for key, raw in (document.get("networks") or {}).items()
        ),
        volumes=tuple(
            Volume(
                key,
                (raw or {}).get("name", key),
                bool((raw or {}).get("external")),
                ((raw or {}).get("driver_opts") or {}).get("type") in ("tmpfs", "ramfs"),
            )
            for key, raw in (document.get("volumes") or {}).items()
        ),
    )


def inline_config_path(name: str) -> str:
    """The path under which ``Model.files`` has an inline config (``content:``)."""
    return f"configs/{name}"


def _secrets_and_configs(raw: dict[str, Any], document: dict[str, Any]) -> list[Mount]:
    """A service's secrets and configs, which Compose mounts as files."""
    mounts = []
    for kind, folder in (("secrets", "/run/secrets/"), ("configs", "/")):
        for entry in raw.get(kind) or []:
            definition = (document.get(kind) or {}).get(entry["source"]) or {}
            target = entry.get("target") or entry["source"]
            source = definition.get("file") or (
                inline_config_path(entry["source"]) if "content" in definition else entry["source"]
            )
            mounts.append(
                Mount(
                    kind.rstrip("s"),
                    source,
                    target if target.startswith("/") else folder + target,
                    read_only=True,
                    owner_given=any(entry.get(key) is not None for key in ("uid", "gid", "mode")),
                )
            )
    return mounts


def _declared_service(name: str, raw: dict[str, Any], document: dict[str, Any]) -> Service:
    entrypoint = tuple(_literal(word) for word in words(raw.get("entrypoint")))
    command = tuple(_literal(word) for word in words(raw.get("command")))
    deploy = raw.get("deploy") or {}
    own = as_written(raw.get("labels") or {})
    for_swarm = deploy.get("labels") or {}
    labels = {key: _literal(str(value or "")) for key, value in {**for_swarm, **own}.items()}
    image = raw.get("image", "")
    check = raw.get("healthcheck")
    hostname = (str(raw["hostname"]),) if raw.get("hostname") else ()
    linked = tuple(
        str(each).rpartition(":")[2]
        for each in (*(raw.get("links") or ()), *(raw.get("external_links") or ()))
    )
    entries = dict(_host_entry(str(each)) for each in raw.get("extra_hosts") or ())
    limits = (deploy.get("resources") or {}).get("limits") or {}
    return Service(
        name=name,
        image=image,
        role=role_of(image, " ".join((*entrypoint, *command)), labels),
        entrypoint=entrypoint,
        command=command,
        environment={
            key: None if value is None else _literal(str(value))
            for key, value in (raw.get("environment") or {}).items()
        },
        labels=labels,
        mounts=tuple(
            Mount(
                mount.get("type", "volume"),
                mount.get("source", ""),
                mount.get("target", ""),
                bool(mount.get("read_only")),
                (mount.get("bind") or {}).get("create_host_path", True),
            )
            for mount in raw.get("volumes") or []
        )
        + tuple(_secrets_and_configs(raw, document)),
        networks={
            key: (*((options or {}).get("aliases") or ()), *hostname)
            for key, options in (raw.get("networks") or {}).items()
        },
        network_mode=raw.get("network_mode", ""),
        ports=tuple(
            Port(
                port.get("host_ip", ""),
                str(port.get("published", "")),
                int(port.get("target", 0)),
                port.get("protocol", "tcp"),
            )
            for port in raw.get("ports") or []
        ),
        healthcheck=Healthcheck(
            ("NONE",) if check.get("disable") else tuple(_literal(word) for word in words(check.get("test"))),
            seconds(check.get("interval")),
            seconds(check.get("timeout")),
            check.get("retries"),
            seconds(check.get("start_period")),
        )
        if check
        else None,
        restart=raw.get("restart") or (deploy.get("restart_policy") or {}).get("condition") or "",
        depends_on={
            key: (options or {}).get("condition", "")
            for key, options in (raw.get("depends_on") or {}).items()
        },
        optional=frozenset(
            key
            for key, options in (raw.get("depends_on") or {}).items()
            if (options or {}).get("required") is False
        ),
        container_name=raw.get("container_name"),
        memory=size_in_bytes(raw.get("mem_limit") or limits.get("memory")),
        cpus=_limit(raw.get("cpus"), limits.get("cpus")),
        pids=int(pids) if (pids := _limit(raw.get("pids_limit"), limits.get("pids"))) else None,
        dns=words(raw.get("dns")),
        hostname=str(raw.get("hostname") or ""),
        shares_mounts=bool(raw.get("volumes_from")),
        privileged=bool(raw.get("privileged")),
        user=str(raw.get("user") or ""),
        logging=raw.get("logging") or {},
        pull_policy=raw.get("pull_policy") or "",
        working_dir=raw.get("working_dir") or "",
        extra_hosts=(*linked, *entries),
        host_entries=entries,
        read_only=bool(raw.get("read_only")),
        tmpfs=_in_memory(raw),
        cap_add=tuple(map(str, raw.get("cap_add") or ())),
        cap_drop=tuple(map(str, raw.get("cap_drop") or ())),
        security_opt=tuple(map(str, raw.get("security_opt") or ())),
        stop_grace_period=seconds(raw.get("stop_grace_period")),
        stop_signal=str(raw.get("stop_signal") or ""),
        init=bool(raw.get("init")),
        expose=tuple(
            int(number) for each in raw.get("expose") or () if (number := str(each).split("/")[0]).isdigit()
        ),
        profiles=tuple(raw.get("profiles") or ()),
        built=bool(raw.get("build")),
        provider=str((raw.get("provider") or {}).get("type") or ""),
        replicas=_replicas(deploy.get("replicas"), raw.get("scale")),
        labels_for_swarm=bool(for_swarm) and not any(key.lower().startswith("traefik.") for key in own),
    )


def _host_entry(entry: str) -> tuple[str, str]:
    """A name and its address from an entry of extra_hosts: Compose writes name=address, older files name:address."""
    name, _, address = entry.partition("=" if "=" in entry else ":")
    return name, address.strip("[]")


def _in_memory(raw: dict[str, Any]) -> tuple[str, ...]:
    """The paths that a service keeps in memory."""
    mounted = (
        str(each.get("target", "")) for each in raw.get("volumes") or () if each.get("type") == "tmpfs"
    )
    return (*(path.partition(":")[0] for path in words(raw.get("tmpfs"))), *mounted)


def _limit(*written: float | str | None) -> float | None:
    """The first of some places for a limit that has a number above 0: Docker takes others for none."""
    for each in written:
        try:
            if each is not None and float(each) > 0:
                return float(each)
        except ValueError:
            continue
    return None


def _replicas(*written: int | None) -> int:
    """How many containers a service has, 1 where the file doesn't say it."""
    return next((int(each) for each in written if each is not None), 1)
