"""What each kind of proxy is called, says of itself, and needs: the words of findings about the one at hand."""

from __future__ import annotations

import re

import msgspec

from lago_acceptance.core.settings import (
    CADDY,
    NGINX,
    NGINX_PROXY,
    NO_PROXY,
    OTHER,
    TRAEFIK,
    TUNNEL,
)
from lago_acceptance.probes.http import Exchange

_CENTER = re.compile(r"<center>(nginx|openresty)(/[\d.]+)?</center>")
_ERRORS = (404, 502, 503, 504)


class ProxyWords(msgspec.Struct, frozen=True, kw_only=True):
    """A proxy's name, and what to do about it, each an imperative or a noun as its name says."""

    name: str = "the proxy"
    page: re.Pattern[str] | None = None
    """What its own HTML errors contain; None where its errors are plain text or empty."""
    lacks: str = "no route for this name"
    route: str = "give the proxy a route for this host"
    connect: str = "check that the container runs, and that the proxy's route has its name and port"
    network: str = "put the proxy and the container on the same network"
    publish: str = "publish the proxy's ports on the host and open them in the firewall"
    certificate: str = (
        "search the proxy's log for the certificate. Usual causes: port 80 of this name does not reach this proxy, so HTTP-01 "
        "fails; the CA's rate limit; the name is not in the proxy's configuration"
    )
    naming: str = "have the proxy use a certificate that names exactly this host"
    staging: str = "use a CA that browsers trust; with Let's Encrypt, not the staging server"
    modern: str = "remove TLS 1.0 and 1.1 from the proxy's settings"
    redirect: str = "have the proxy redirect http to https, with the same host and path"
    loop: str = "remove the redirect from what serves https"
    cors: str = (
        "remove the CORS headers that the proxy adds for the API, so that LAGO_FRONT_URL alone decides"
    )
    close: str = "close /sidekiq in the proxy, with an allow-list or a login"
    routing: str = "check which service the proxy sends this URL to"


_NGINX = ProxyWords(
    name="nginx",
    page=_CENTER,
    lacks="no server for this name",
    route="give nginx a server block with this server_name",
    connect="check that the container runs, and that proxy_pass has its name and port; read nginx's error log",
    certificate="read the log of what renews the certificate (certbot renew --dry-run), and reload nginx after it. Usual cause: "
    "port 80 of this name does not reach this nginx, so HTTP-01 fails",
    naming="have ssl_certificate of this server_name name exactly this host",
    staging="use a CA that browsers trust; with Let's Encrypt, not the staging server (certbot without --staging)",
    modern="set ssl_protocols TLSv1.2 TLSv1.3 in nginx",
    redirect="give nginx a server block for port 80 with: return 301 https://$host$request_uri;",
    loop="remove the return or rewrite from the server block of port 443",
    cors="remove add_header Access-Control-… from nginx's locations of the API, so that LAGO_FRONT_URL alone decides",
    close="give nginx a location /sidekiq with: return 404;",
    routing="check which location of nginx takes this URL, and its proxy_pass",
)
WORDS = {
    TRAEFIK: ProxyWords(
        name="Traefik",
        lacks="no router for this name",
        route="check that this host has an enabled router on this entrypoint",
        connect="check that the container runs and listens on the port in traefik.http.services.NAME.loadbalancer.server.port",
        network="put Traefik and the container on the same network, and name that network in traefik.docker.network",
        publish="check that Traefik runs and publishes ports 80 and 443 on the host, and that the firewall lets them in",
        certificate="search Traefik's log for acme. Usual causes: tls.certresolver names a resolver that does not exist; port 80 "
        "of this name does not reach this Traefik, so HTTP-01 fails; the CA's rate limit; the router is not enabled",
        naming="give this name's router tls.certresolver, and a Host rule that names exactly this host",
        staging="use a CA that browsers trust; with Let's Encrypt, not the staging server (caserver of the resolver)",
        modern="remove minVersion below VersionTLS12 from Traefik's tls.options; the default is right",
        redirect="give the host a router on the http entrypoint with a redirectscheme middleware (scheme https)",
        loop="remove the redirect from the https router",
        cors="remove the headers and CORS middlewares from the API's router in Traefik, so that LAGO_FRONT_URL alone decides",
        close="give /sidekiq a router of its own in Traefik, with an allow-list or a login and a higher priority than the API's",
        routing="check which service the router of this URL points to",
    ),
    CADDY: ProxyWords(
        name="Caddy",
        lacks="no site or route for this URL",
        route="give Caddy a site with this host, and a route that takes the path",
        connect="check that the container runs, and that reverse_proxy has its name and port",
        network="put Caddy and the container on the same network",
        publish="check that Caddy runs and publishes ports 80 and 443 on the host, and that the firewall lets them in",
        certificate='search Caddy\'s log for "obtain" and the name. Usual causes: ports 80 and 443 of this name do not reach this '
        "Caddy; `tls internal` or local_certs is set; the CA's rate limit",
        naming="write exactly this host as the address of its site in the Caddyfile",
        staging="use a CA that browsers trust: remove acme_ca with the staging server, `tls internal` and local_certs",
        modern="remove `protocols` with tls1.0 or tls1.1 from Caddy's tls settings; the default is right",
        redirect="remove auto_https off or disable_redirects from Caddy, and write the site's address without http://",
        loop="remove redir from the site",
        cors="remove header Access-Control-… from Caddy's site of the API, so that LAGO_FRONT_URL alone decides",
        close="give the site in Caddy: respond /sidekiq* 404",
        routing="check which handle or reverse_proxy of Caddy's site takes this URL",
    ),
    NGINX: _NGINX,
    NGINX_PROXY: msgspec.structs.replace(
        _NGINX,
        name="nginx-proxy",
        lacks="no container for this name",
        route="give the container VIRTUAL_HOST with this host",
        connect="check that the container runs, shares a network with nginx-proxy, and listens on the port in VIRTUAL_PORT",
        network="put nginx-proxy and the container on the same network",
        publish="check that nginx-proxy runs and publishes ports 80 and 443 on the host, and that the firewall lets them in",
        certificate="give the container LETSENCRYPT_HOST with this host, and read the log of acme-companion. Usual cause: port 80 of "
        "this name does not reach this nginx-proxy",
        naming="write exactly this host into LETSENCRYPT_HOST and VIRTUAL_HOST of the container",
        staging="use a CA that browsers trust: remove LETSENCRYPT_TEST and ACME_CA_URI with the staging server",
        modern="set SSL_POLICY of nginx-proxy to Mozilla-Intermediate or Mozilla-Modern",
        redirect="remove HTTPS_METHOD from the container: without it nginx-proxy redirects",
        loop="set HTTPS_METHOD=noredirect where something before nginx-proxy redirects already",
        close="give nginx-proxy a file /etc/nginx/vhost.d/HOST with: location /sidekiq { return 404; }",
        routing="check which container has VIRTUAL_HOST and VIRTUAL_PATH of this URL",
    ),
    TUNNEL: ProxyWords(
        name="the Cloudflare Tunnel",
        page=re.compile("cloudflare", re.IGNORECASE),
        lacks="no public hostname for this name",
        route="add this host as a public hostname of the tunnel",
        connect="check that the container runs, and that the tunnel's public hostname has its name and port",
        network="put cloudflared and the container on the same network",
        publish="check that cloudflared runs and is connected (docker logs of its container)",
        certificate="check in Cloudflare under SSL/TLS > Edge Certificates that the certificate covers this host",
        naming="order a certificate in Cloudflare (SSL/TLS > Edge Certificates) that covers this host",
        modern="in Cloudflare set SSL/TLS > Edge Certificates > Minimum TLS Version to 1.2",
        redirect="in Cloudflare switch on SSL/TLS > Edge Certificates > Always Use HTTPS",
        loop="remove Cloudflare's redirect rules for this host",
        cors="remove Cloudflare's rules that add CORS headers, so that LAGO_FRONT_URL alone decides",
        close="protect /sidekiq with Cloudflare Access",
        routing="check which service the tunnel's public hostname points to",
    ),
    OTHER: ProxyWords(page=_CENTER),
    NO_PROXY: ProxyWords(
        name="the host",
        connect="check that the container runs",
        publish="check that the container runs and publishes this port, and that the firewall lets it in",
        cors="remove the CORS headers that something in front of the API adds, so that LAGO_FRONT_URL alone decides",
        close="put the API behind a proxy that closes /sidekiq",
        routing="check which container publishes this port",
    ),
}
"""By the kind of proxy, one of ``settings.PROXIES``."""


def words(kind: str) -> ProxyWords:
    """The words about a kind of proxy."""
    return WORDS[kind]


def own_error(kind: str, exchange: Exchange) -> tuple[str, str] | None:
    """What a proxy's own error says, and how to fix it; None where the answer isn't one."""
    proxy, status = words(kind), exchange.status
    if kind == NO_PROXY or status not in _ERRORS or not _is_own(proxy, exchange):
        return None
    name = proxy.name[0].upper() + proxy.name[1:]
    if kind in (NGINX, NGINX_PROXY):
        name = proxy.name
    if status == 404:
        return f"{name} has {proxy.lacks}", proxy.route
    if status == 503 and kind == NGINX_PROXY:
        # It has no other answer for a name that no container gives.
        return (
            f"{name} has no container for this name, or none that it can reach",
            f"{proxy.route}; {proxy.network}",
        )
    if status == 503:
        return (
            f"{name} has no server for the service behind this name",
            "check that the container runs and is healthy",
        )
    if status == 502:
        return f"{name} can't connect to the service behind this name", proxy.connect
    return f"{name} gets no answer from the service behind this name", proxy.network


def _is_own(proxy: ProxyWords, exchange: Exchange) -> bool:
    if exchange.media_type == "text/html":
        return bool(proxy.page and proxy.page.search(exchange.body))
    return exchange.media_type in ("text/plain", "")
