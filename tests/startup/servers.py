"""Real servers for tests: started on a free port with the log in a file, and stopped with all their processes."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

from tests.databases import ROOT, environment

PYTHON = [sys.executable]
COMMANDS = {
    "runserver": [*PYTHON, "manage.py", "runserver", "{port}"],
    "runserver --noreload": [*PYTHON, "manage.py", "runserver", "--noreload", "{port}"],
    "gunicorn": [*PYTHON, "-m", "gunicorn", "csms_project.wsgi", "--workers=3", "--bind=127.0.0.1:{port}"],
    "gunicorn --preload": [
        *PYTHON, "-m", "gunicorn", "csms_project.wsgi", "--workers=3", "--preload", "--bind=127.0.0.1:{port}",
    ],
    "uvicorn": [*PYTHON, "-m", "uvicorn", "csms_project.asgi:application", "--port={port}"],
    "uvicorn --workers": [*PYTHON, "-m", "uvicorn", "csms_project.asgi:application", "--workers=2", "--port={port}"],
}  # fmt: skip
SUMMARY = "start-up check of default"
TIMEOUT_SECONDS = 60


class Server:
    """A running server."""

    def __init__(self, process, port, log):
        self.process, self.port, self.log_file = process, port, log

    @property
    def log(self):
        return self.log_file.read_text()

    def wait_for(self, condition, what):
        """Wait until `condition()` is true; fail when the server ends first."""
        until = time.monotonic() + TIMEOUT_SECONDS
        while not condition():
            assert self.process.poll() is None, f"the server ended before {what}:\n{self.log}"
            assert time.monotonic() < until, f"{what} did not happen:\n{self.log}"
            time.sleep(0.05)

    def wait_for_log(self, text):
        self.wait_for(lambda: text in self.log, text)

    def wait_until_it_answers(self):
        self.wait_for(self._answers, "an answer")

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=TIMEOUT_SECONDS) as response:
            return response.status, response.headers["Content-Type"], response.read()

    def workers(self):
        return re.findall(r"Booting worker with pid: (\d+)", self.log)

    def stop(self, number=signal.SIGTERM):
        """Send the signal of a service manager and wait for the end."""
        self.process.send_signal(number)
        self.process.wait(TIMEOUT_SECONDS)

    def interrupt(self):
        """Interrupt all processes, as Ctrl-C in a terminal does, and wait for the end."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(TIMEOUT_SECONDS)

    def kill(self):
        """Kill all processes of the server."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(TIMEOUT_SECONDS)

    def _answers(self):
        try:
            return self.get("/admin/login/")[0] == 200
        except OSError:
            return False


@contextmanager
def serving(name, url, folder, **variables):
    """Run a server on the database `url` for the length of the block."""
    port = _free_port()
    log = folder / f"server-{port}.log"
    variables = {"COMPAT_STARTUP": "", "GUNICORN_CMD_ARGS": "--no-control-socket", **variables}
    with log.open("w") as output:
        process = subprocess.Popen(
            [part.format(port=port) for part in COMMANDS[name]],
            cwd=ROOT, env=environment(url, **variables), stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    server = Server(process, port, log)
    try:
        yield server
    finally:
        if process.poll() is None:
            server.stop()
        _kill_group(process.pid)


def _kill_group(group):
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
