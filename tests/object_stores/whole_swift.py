"""OpenStack Swift with its S3 API, whole and in one process, on loopback. Run by Debian's Python, with python3-swift.

    /usr/bin/python3 whole_swift.py FOLDER PORT ACCOUNT USER SECRET

A store that runs in production, no imitation of one: each request's signature (version 4) is computed again. FOLDER
keeps what was stored, so that a server that was killed comes back with it. Prints a line once it listens.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from swift.common import utils

utils.eventlet_monkey_patch()

import eventlet  # noqa: E402 - what it patches must be loaded afterwards
import eventlet.wsgi  # noqa: E402
from swift.common import wsgi  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402

Application = Callable[..., Any]
PROXY = """
[DEFAULT]
log_level = ERROR
swift_dir = {folder}
[pipeline:main]
pipeline = catch_errors gatekeeper cache s3api tempauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:9
error_suppression_interval = 3600
error_suppression_limit = 1
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{user} = {secret} .admin
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""
STORE = """
[DEFAULT]
log_level = ERROR
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""


def main(folder: Path, port: int, account: str, user: str, secret: str) -> None:
    utils.HASH_PATH_SUFFIX = b"tests"  # of /etc/swift/swift.conf elsewhere
    (folder / "devices" / "disk").mkdir(parents=True, exist_ok=True)
    for kind in ("account", "container", "object"):
        listening = eventlet.listen(("127.0.0.1", 0))
        write_ring(folder / f"{kind}.ring.gz", listening.getsockname()[1])
        serve(listening, folder / f"{kind}.conf", STORE.format(folder=folder, kind=kind))
    proxy = PROXY.format(folder=folder, account=account, user=user, secret=secret)
    serve(eventlet.listen(("127.0.0.1", port)), folder / "proxy.conf", proxy)
    print("listening", flush=True)  # noqa: T201
    while True:
        eventlet.sleep(3600)


def write_ring(path: Path, port: int) -> None:
    """One device, which is the whole cluster."""
    builder = RingBuilder(part_power=2, replicas=1, min_part_hours=0)
    place = {"ip": "127.0.0.1", "port": port, "replication_ip": "127.0.0.1", "replication_port": port}
    builder.add_dev({"region": 1, "zone": 1, "weight": 1, "device": "disk", **place})
    builder.rebalance()
    builder.get_ring().save(str(path))


def serve(listening: object, path: Path, configuration: str) -> None:
    path.write_text(configuration)
    application = with_length_of_heads(wsgi.loadapp(str(path)))
    eventlet.spawn(eventlet.wsgi.server, listening, application, log_output=False)


def with_length_of_heads(application: Application) -> Application:
    """Without one, Debian's eventlet ends a body that a HEAD does not have, and the next answer begins with that."""

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        def start_with_length(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            named = {name.lower() for name, _ in headers}
            length = (
                [] if "content-length" in named or environ["REQUEST_METHOD"] != "HEAD" else [("Content-Length", "0")]
            )
            return start(status, [*headers, *length], *rest)

        return application(environ, start_with_length)

    return answer


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
