"""A button on a phone: a real browser asks, acts once and shows what came of it (J-108, X-12)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import title_is
from selenium.webdriver.support.wait import WebDriverWait

from plugins.asking import counter
from plugins.job_house import job_servers

__all__ = ["counter", "job_servers"]

PHONE = {"deviceMetrics": {"width": 390, "height": 844, "pixelRatio": 2}}


@pytest.fixture
def phone() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.add_experimental_option("mobileEmulation", PHONE)
    options.binary_location = str(shutil.which("chromium"))
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(shutil.which("chromedriver"))))
    yield browser
    browser.quit()


def text(browser: Any) -> str:
    return str(browser.find_element(By.TAG_NAME, "body").text)


@pytest.mark.browser
def test_a_thumb_creates_a_job_once(counter: Any, phone: Any) -> None:
    row = counter.business.stay()
    counter.business.refresh()
    phone.get(counter.link("create-job", row))
    button = phone.find_element(By.TAG_NAME, "button")
    assert (button.size["height"] >= 48, button.size["width"] > 300) == (True, True)
    assert phone.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    assert "Cactus House" in text(phone)
    button.click()
    WebDriverWait(phone, 10).until(title_is("Done"))
    assert "Create job: done" in text(phone)
    assert counter.business.row(row)["Service Job ID"] in text(phone)
    phone.refresh()
    assert "Create job: done" in text(phone)
    assert counter.clerk.asked == [("create-job", row)]
    assert phone.get_log("browser") == []  # nothing that the page's policy had to forbid
