"""One Chromium with a home of its own: started, handed over, ended with all its processes; it opens no page."""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import structlog
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import ChromeOptions, Remote
from selenium.webdriver.chromium.remote_connection import ChromiumRemoteConnection
from selenium.webdriver.common.proxy import Proxy
from selenium.webdriver.remote.client_config import ClientConfig
from urllib3.exceptions import HTTPError

from changeover.sources.evolve import leftovers
from changeover.sources.evolve.visit import PortalFailure

log = structlog.get_logger(__name__)

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_DRIVERS = ("chromedriver", "/usr/lib/chromium-browser/chromedriver", "/usr/lib/chromium/chromedriver")
_START_SECONDS = 30
_COMMAND_SECONDS = 45  # longer than a page may take, so that only a hung driver ever reaches it
_END_SECONDS = 2.0
_LISTENS = re.compile(rb"started successfully on port ([0-9]+)")
_ARGUMENTS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",  # root and containers have none; the only pages opened are the portal's
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-features=BackForwardCache,Translate,OptimizationHints,MediaRouter",
    "--no-first-run",
    "--no-default-browser-check",
    "--metrics-recording-only",
    "--password-store=basic",
    "--window-size=1920,1080",
    "--lang=en-US",
)
_PREFERENCES = {
    "download.prompt_for_download": False,
    "credentials_enable_service": False,
    "profile.password_manager_enabled": False,
}


class NoBrowser(PortalFailure):
    """This machine has no Chromium, or no driver for it, or they do not start."""

    def __init__(self, text: str) -> None:
        super().__init__("no_browser", text)


@dataclass(frozen=True, slots=True)
class Programs:
    """The browser and its driver as installed here; nothing is ever downloaded in their place."""

    browser: str
    driver: str

    @classmethod
    def installed(cls) -> Programs:
        """Raises NoBrowser."""
        browser, driver = _first(_BROWSERS), _first(_DRIVERS)
        missing = [name for name, path in (("chromium", browser), ("chromedriver", driver)) if path is None]
        if browser is None or driver is None:
            raise NoBrowser(f"not installed on this machine: {', '.join(missing)}")
        return cls(browser, driver)


class Browser:
    """A running Chromium. Whatever becomes of its visit, `end` leaves neither process nor file of it.

    `end` may be called from any thread and more than once.
    """

    def __init__(self, programs: Programs, home: Path, zone: str) -> None:
        """Starts it in the folder `home`, which must not exist and is its own. Raises NoBrowser."""
        self._home, self._lock, self._ended = home, threading.Lock(), False
        self._driver_process = _start_driver(programs.driver, _environment(home, zone))
        with ExitStack() as undo:
            undo.callback(self.end)
            home.mkdir(mode=0o700, parents=True)
            self.driver = _session(self._driver_process, _options(programs.browser, home / "profile"))
            undo.pop_all()

    def download_into(self, folder: Path) -> None:
        """From here on downloads go into this folder, made anew."""
        folder.mkdir(mode=0o700)
        told = {"behavior": "allow", "downloadPath": str(folder)}
        self.driver.execute("executeCdpCommand", {"cmd": "Browser.setDownloadBehavior", "params": told})

    def close(self) -> None:
        """Ends it in good order, and in any order where it does not answer."""
        with suppress(WebDriverException, HTTPError, OSError):
            self.driver.quit()
            self._driver_process.terminate()
            self._driver_process.wait(_END_SECONDS)
        self.end()

    def end(self) -> None:
        """Ends every process whose home is this browser's, then removes that home."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
            self._driver_process.kill()  # the browser hangs on its pipe and ends by itself
            self._driver_process.wait()
            leftovers.end_processes(self._home)
            if self._driver_process.stdout is not None:
                self._driver_process.stdout.close()
            leftovers.remove(self._home)


@contextmanager
def opened(home: Path, zone: str, asked_to_end: Callable[[], bool], last_word: float) -> Iterator[Browser]:
    """A browser for a block, ended on every way out. Raises NoBrowser.

    A block that does not end by itself when asked to loses its browser `last_word` seconds later (C-32).
    """
    browser = Browser(Programs.installed(), home, zone)
    over = threading.Event()
    guard = threading.Thread(target=_guard, args=(browser, over, asked_to_end, last_word), daemon=True)
    guard.start()
    try:
        yield browser
    finally:
        browser.close()  # watched over as well: a browser that hangs may not answer its last command either
        over.set()


def _guard(browser: Browser, over: threading.Event, asked_to_end: Callable[[], bool], last_word: float) -> None:
    while not over.wait(0.2):
        if asked_to_end():
            if not over.wait(last_word):
                log.warning("browser.ended", reason="the run was asked to end and the browser hung")
                browser.end()
            return


def _first(names: tuple[str, ...]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def _environment(home: Path, zone: str) -> dict[str, str]:
    """All that the browser gets to know of ours (S-5), and its time zone (R-77)."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "LANG": "en_US.UTF-8", "TZ": zone}


def _start_driver(driver: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [driver, "--port=0"]
    # Killed with us, should we be killed: a browser that nobody waits for would run for ever.
    if setpriv := shutil.which("setpriv"):
        command = [setpriv, "--pdeathsig", "KILL", *command]
    try:
        return subprocess.Popen(  # noqa: S603 - a program found by its own name, no shell
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise NoBrowser(f"chromedriver does not start ({type(error).__name__})") from error


def _session(process: subprocess.Popen[bytes], options: ChromeOptions) -> Remote:
    """A browser under this driver. Raises NoBrowser."""
    try:
        return Remote(_connection(_port(process)), options=options)
    except (WebDriverException, HTTPError, OSError) as error:
        raise NoBrowser(f"Chromium does not start ({type(error).__name__})") from error


def _port(process: subprocess.Popen[bytes]) -> int:
    """The port the driver says it listens on. What it says later is read and thrown away. Raises OSError."""
    assert process.stdout is not None  # noqa: S101  # for the type checker: it was asked for
    found: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(process.stdout, found), daemon=True).start()
    try:
        port = found.get(timeout=_START_SECONDS)
    except queue.Empty:
        port = None
    if port is None:
        raise OSError("chromedriver says no port")
    return port


def _listen(output: IO[bytes], found: queue.SimpleQueue[int | None]) -> None:
    with suppress(ValueError, OSError):  # closed while it is read: the browser has been ended
        for line in output:
            if match := _LISTENS.search(line):
                found.put(int(match[1]))
    found.put(None)


def _connection(port: int) -> ChromiumRemoteConnection:
    url = f"http://127.0.0.1:{port}"
    direct = Proxy({"proxyType": "DIRECT"})
    config = ClientConfig(url, timeout=_COMMAND_SECONDS, proxy=direct)
    return ChromiumRemoteConnection(url, vendor_prefix="goog", browser_name="chrome", client_config=config)


def _options(browser: str, profile: Path) -> ChromeOptions:
    options = ChromeOptions()
    options.binary_location = browser
    options.page_load_strategy = "eager"  # what is waited for is what is seen, never the last advertisement
    options.unhandled_prompt_behavior = "dismiss"
    for argument in (*_ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.add_experimental_option("prefs", _PREFERENCES)
    return options
