"""Start Label Studio and the backend, and make a project with sample photographs."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from pathlib import Path

from demo.label_studio import (
    EMAIL,
    PASSWORD,
    TOKEN,
    Client,
    free_port,
    start_backend,
    start_label_studio,
)
from edgeflow_backend.protocol.config_check import RECOMMENDED

TITLE = "EdgeFlow demo"
PHOTOS = Path(__file__).parent / "photos"

PATIENCE_S = 600
"""For each server to start; a machine with other work to do may take minutes."""

INSTRUCTIONS = """
  Label Studio   {url}/projects/{project}/data
  login          {email}
  password       {password}
  backend        {backend}  (logs: {logs})

  1. Open the URL, log in, click on a task.
  2. Below the image, switch on "Auto-Annotation"; then pick the smart tool, the pink dots at the
     end of the toolbar.
  3. Click on an object: its mask appears.
  4. Something missing? Click on it. Something too much? Hold Alt and click.
  5. The tick below the image accepts the mask; then Submit.

  Ctrl-C stops everything.
"""


def main() -> None:
    """Run until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--label-studio", type=Path, required=True, help="executable of Label Studio"
    )
    parser.add_argument(
        "--data", type=Path, default=Path(".demo"), help="folder of all data, kept between runs"
    )
    parser.add_argument(
        "--port", type=int, default=8080, help="port of Label Studio, if it is free"
    )
    parser.add_argument(
        "--backend-port", type=int, default=9090, help="port of the backend, if free"
    )
    arguments = parser.parse_args()

    stop = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: stop.set())

    data: Path = arguments.data.resolve()
    port, backend_port = free_port(arguments.port), free_port(arguments.backend_port)
    url, backend_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{backend_port}"
    environment = {
        "LABEL_STUDIO_URL": url,
        "LABEL_STUDIO_API_KEY": TOKEN,
        "EDGEFLOW_LOG_FORMAT": "console",
        "PYTHONDONTWRITEBYTECODE": "",  # as for Label Studio
        "OMP_WAIT_POLICY": "passive",  # Label Studio shares the cores: see docs/settings.md
    }
    command = Path(sys.executable).with_name("edgeflow-backend")
    print("Starting Label Studio and the backend; the first time takes half a minute …", flush=True)
    begin = time.monotonic()

    def say(text: str) -> None:
        print(f"  {time.monotonic() - begin:.0f} s: {text}", flush=True)

    with (
        start_label_studio(arguments.label_studio, data, port) as label_studio,
        start_backend(command, backend_port, data / "backend.log", environment) as backend,
    ):
        try:
            backend.wait(PATIENCE_S, lambda: say("the backend loads its network"))
            label_studio.wait(PATIENCE_S, lambda: say("Label Studio sets up its database"))
        except RuntimeError as error:
            sys.exit(str(error))
        say("both are up; looking for the demo's project, or making it")
        project = prepare(Client(url), backend_url)
        print(
            INSTRUCTIONS.format(
                url=url, project=project, email=EMAIL, password=PASSWORD,
                backend=backend_url, logs=data,
            ),
            flush=True,
        )  # fmt: skip
        while not stop.wait(1):
            for service in (label_studio, backend):
                if service.process.poll() is not None:
                    sys.exit(f"a server ended unexpectedly; see {service.log}")
    print("Stopped.", flush=True)


def prepare(client: Client, backend_url: str) -> int:
    """Make the demo project unless it exists, connect the backend, return the project's id."""
    project = client.find_project(TITLE)
    if project is None:
        project = client.create_project(TITLE, RECOMMENDED)
        client.import_images(project["id"], sorted(PHOTOS.glob("*.jpg")))
    client.connect_backend(project["id"], backend_url)
    return int(project["id"])


if __name__ == "__main__":
    main()
