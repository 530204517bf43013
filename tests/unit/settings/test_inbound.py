"""What the web server reads of both environments, and what it never does."""

from __future__ import annotations

import pytest

from changeover.settings import ConfigurationError
from changeover.settings.inbound import INBOUND, drop_outbound, load_inbound

KEYS = {"dev": {"API_KEY": "dev-api-key-1"}, "prod": {"API_KEY": "prod-api-key-1"}}


@pytest.fixture
def both(write):
    def put(dev=None, prod=None):
        write("dev", {**KEYS["dev"], **(dev or {})})
        write("prod", {**KEYS["prod"], **(prod or {})})

    return put


def problems(process):
    with pytest.raises(ConfigurationError) as caught:
        load_inbound(process)
    return [str(each) for each in caught.value.problems]


def test_both_environments_are_read_prod_last(both, process, tmp_path):
    both({"CSV_EMAIL_ENABLED": "false"}, {"TIMEZONE": "UTC", "DATABASE_URL": "postgresql+psycopg://me:word@db/x"})
    dev, prod = load_inbound(process)
    assert (dev.environment, dev.csv_email_enabled, dev.folder) == ("dev", False, tmp_path / "var" / "dev")
    assert dev.state_url == f"sqlite:///{tmp_path}/var/dev/state.db"
    assert (prod.environment, prod.csv_email_enabled, str(prod.zone)) == ("prod", True, "UTC")
    assert prod.state_url == "postgresql+psycopg://me:word@db/x"
    assert {"prod-api-key-1", "word"} <= set(prod.secret_values)


def test_an_environment_without_a_file_is_not_served(write, process):
    write("prod", KEYS["prod"])
    assert [each.environment for each in load_inbound(process)] == ["prod"]


def test_without_any_file_there_is_nothing_to_serve(process):
    assert problems(process) == ["CHANGEOVER_CONFIG: holds neither dev.env nor prod.env"]


def test_no_credential_for_a_way_out_is_read_or_even_looked_at(both, process):  # S-7
    both({"AIRTABLE_API_KEY": None, "AIRTABLE_API_KEY_FILE": "/nowhere/key", "EVOLVE_PASSWORD": "portal-word"})
    dev, prod = load_inbound(process)
    assert "patPRODmadeup1" not in repr(prod) + "".join(prod.secret_values)
    assert "portal-word" not in repr(dev.model_dump()) + "".join(dev.secret_values)
    assert not any(name.startswith(("AIRTABLE", "EVOLVE", "HCP_API", "NOTIFY")) for name in INBOUND)


def test_an_inbound_secret_may_lie_in_a_file_and_a_variable_of_the_process_wins(both, process, tmp_path):
    both({"CLOUDMAILIN_PASSWORD_FILE": "word"}, {"CLOUDMAILIN_PASSWORD": "from-the-file"})
    (tmp_path / "config" / "word").write_text("from-its-own-file\n")
    dev, prod = load_inbound({**process, "CLOUDMAILIN_PASSWORD_PROD": "from-the-process"})
    assert dev.cloudmailin_password.get_secret_value() == "from-its-own-file"
    assert prod.cloudmailin_password.get_secret_value() == "from-the-process"


def test_everything_wrong_in_either_is_said_at_once(both, process):  # S-2
    both({"API_KEY": None, "TIMEZONE": "Mars/Base", "CLOUDMAILIN_PASSWORD_FILE": "gone"}, {"DATABASE_URL": "mysql://x"})
    assert problems(process) == [
        "CLOUDMAILIN_PASSWORD_FILE_DEV: names a file that cannot be read",
        "API_KEY_DEV: is missing or blank; set it in dev.env",
        "TIMEZONE_DEV: is not a time zone of the IANA data base",
        "DATABASE_URL_PROD: must be sqlite:////absolute/path or postgresql+psycopg://…/name",
    ]


def test_an_api_key_in_a_file_that_cannot_be_read_is_one_problem(both, process):
    both({"API_KEY": None, "API_KEY_FILE": "gone"})
    assert problems(process) == ["API_KEY_FILE_DEV: names a file that cannot be read"]


def test_a_file_that_is_no_text_is_named_without_a_suffix(both, process, tmp_path):
    both()
    (tmp_path / "config" / "dev.env").write_bytes(b"\xff\xfe\xff")
    assert "dev.env: is not a text file in UTF-8" in problems(process)


def test_a_file_that_may_not_be_read_is_a_problem(both, process, monkeypatch):
    from changeover.settings import inbound

    both()
    read = inbound.read

    def refused(environment, *more):
        if environment == "dev":
            raise PermissionError
        return read(environment, *more)

    monkeypatch.setattr(inbound, "read", refused)
    assert problems(process) == ["dev.env: cannot be read by this user"]


@pytest.mark.parametrize("name", ["API_KEY", "HCP_WEBHOOK_SECRET", "SERVATIV_WEBHOOK_SECRET", "DATABASE_URL"])
def test_the_two_share_no_key_secret_or_database(both, process, name):  # S-4
    value = "postgresql+psycopg://me@db/same" if name == "DATABASE_URL" else "the-same-value-1"
    both({name: value}, {name: value})
    assert problems(process) == [f"{name}: has the same value in the other environment"]


def test_they_may_share_the_mail_login(both, process):
    login = {"CLOUDMAILIN_USER": "same", "CLOUDMAILIN_PASSWORD": "same-word"}
    both(login, login)
    assert len(load_inbound(process)) == 2


def test_data_in_the_source_tree_is_refused(both, process):
    from changeover import settings

    both()
    place = settings.__file__.rpartition("/")[0]
    assert problems({**process, "CHANGEOVER_HOME": place}) == [
        "CHANGEOVER_HOME: must not be inside the program's source tree"
    ]


def test_what_is_not_for_the_server_leaves_its_process():
    process = {"AIRTABLE_API_KEY_PROD": "x", "EVOLVE_PASSWORD_FILE_DEV": "x", "API_KEY_DEV": "y", "PATH": "z"}
    drop_outbound(process)
    assert process == {"API_KEY_DEV": "y", "PATH": "z"}
