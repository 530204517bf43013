"""What a sound configuration gives, and everything that is said about an unsound one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from changeover.settings import (
    NAMES,
    SECRETS,
    AutoCreateJobs,
    ConfigurationError,
    EnvironmentName,
    drop_foreign,
    is_loopback,
    load,
)

SECRET = "hidden-value-7391"


def problems(env, process):
    with pytest.raises(ConfigurationError) as caught:
        load(env, process)
    return {problem.name: problem.what for problem in caught.value.problems}


def test_two_names_are_enough_and_the_rest_has_its_default(write, process):
    write("dev")
    settings = load("dev", process)
    assert settings.environment is EnvironmentName.DEV
    assert settings.airtable_base_id == "appDEVDEVDEVDEVD1"
    assert settings.airtable_endpoint_url == "https://api.airtable.com"
    assert settings.missing_threshold == 3
    assert settings.auto_create_jobs is AutoCreateJobs.READY
    assert settings.folder == Path(process["CHANGEOVER_HOME"]) / "dev"
    assert settings.state_url == f"sqlite:///{settings.folder}/state.db"


def test_every_problem_is_listed_at_once_and_no_value_is_shown(write, process):
    write(
        "dev",
        {
            "AIRTABLE_BASE_ID": "nonsense",
            "MISSING_THRESHOLD": SECRET,
            "TIMEZONE": "Mars/Olympus",
            "AIRTABLE_API_KEY": None,
        },
    )
    with pytest.raises(ConfigurationError) as caught:
        load("dev", process)
    assert {problem.name for problem in caught.value.problems} == {
        "AIRTABLE_API_KEY",
        "AIRTABLE_BASE_ID",
        "MISSING_THRESHOLD",
        "TIMEZONE",
    }
    assert SECRET not in str(caught.value)
    assert "nonsense" not in str(caught.value)


@pytest.mark.parametrize("value", ["", "   "])
def test_a_blank_required_value_is_missing(write, process, value):
    write("dev", {"AIRTABLE_API_KEY": value})
    assert "blank" in problems("dev", process)["AIRTABLE_API_KEY"]


def test_without_a_file_the_problem_says_that_there_is_none(process):
    assert "no such file" in problems("prod", process)["AIRTABLE_API_KEY"]


@pytest.mark.parametrize("name", ["Dev", "DEV", "prd", "production", "", " dev"])
def test_a_typo_never_means_dev(write, process, name):  # Z-25
    write("dev")
    write("prod")
    assert problems(name, process) == {"--env": "must be exactly dev or prod"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AIRTABLE_API_KEY", "key12345678"),
        ("AIRTABLE_BASE_ID", "app123"),
        ("AIRTABLE_ENDPOINT_URL", "http://api.example.com"),
        ("AIRTABLE_ENDPOINT_URL", "ftp://127.0.0.1"),
        ("AIRTABLE_ENDPOINT_URL", "https://user:word@api.example.com"),
        ("AIRTABLE_ENDPOINT_URL", "https://"),
        ("HEARTBEAT_URL", "http://monitor.example.com/abc"),
        ("AIRTABLE_MONTHLY_LIMIT", "-1"),
        ("MAX_CONCURRENT_FEEDS", "0"),
        ("FEED_TIMEOUT_SECONDS", "0"),
        ("MISSING_GRACE_HOURS", "-2"),
        ("AUTO_CREATE_JOBS", "sometimes"),
        ("ALLOW_PRIVATE_FEEDS", "perhaps"),
        ("LOG_LEVEL", "LOUD"),
        ("DATABASE_URL", "sqlite:///relative.db"),
        ("DATABASE_URL", "mysql://host/name"),
        ("TIMEZONE", "../etc/passwd"),
    ],
)
def test_a_value_of_the_wrong_shape_is_refused_by_name(write, process, name, value):
    write("dev", {name: value})
    assert name in problems("dev", process)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:9", "https://api.example.com/"]
)
def test_plain_http_is_allowed_to_this_machine_only(write, process, url):
    write("dev", {"AIRTABLE_ENDPOINT_URL": url})
    assert load("dev", process).airtable_endpoint_url == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "expected"), [("http://127.9.9.9", True), ("https://localhost.example.com", False), ("x", False)]
)
def test_loopback_is_told_by_the_host(url, expected):
    assert is_loopback(url) is expected


def test_any_housecall_setting_needs_key_and_job_type(write, process):
    write("dev", {"HCP_COMPANY_ID": "company-1"})
    assert set(problems("dev", process)) == {"HCP_API_KEY", "HCP_STR_NEXT_GUEST_JOB_TYPE_ID"}


def test_a_process_variable_of_the_environment_wins_over_the_file(write, process):
    write("dev", {"MISSING_THRESHOLD": "4"})
    settings = load(
        "dev", {**process, "MISSING_THRESHOLD_DEV": "7", "MISSING_THRESHOLD_PROD": "9", "MISSING_THRESHOLD": "8"}
    )
    assert settings.missing_threshold == 7


def test_a_secret_may_stand_in_a_file_of_its_own(write, process, tmp_path):
    (tmp_path / "config" / "key").write_text("patFILEmadeup9\n")
    write("dev", {"AIRTABLE_API_KEY": None, "AIRTABLE_API_KEY_FILE": "key"})
    assert load("dev", process).airtable_api_key.get_secret_value() == "patFILEmadeup9"


def test_a_process_variable_replaces_a_secret_file_and_the_other_way_round(write, process, tmp_path):
    (tmp_path / "config" / "key").write_text("patFILEmadeup9")
    write("dev", {"AIRTABLE_API_KEY": None, "AIRTABLE_API_KEY_FILE": "key"})
    by_value = load("dev", {**process, "AIRTABLE_API_KEY_DEV": "patVALUEmadeup"})
    assert by_value.airtable_api_key.get_secret_value() == "patVALUEmadeup"
    write("dev")
    by_file = load("dev", {**process, "AIRTABLE_API_KEY_FILE_DEV": "key"})
    assert by_file.airtable_api_key.get_secret_value() == "patFILEmadeup9"


def test_a_secret_given_twice_is_refused(write, process, tmp_path):
    (tmp_path / "config" / "key").write_text("patFILEmadeup9")
    write("dev", {"AIRTABLE_API_KEY_FILE": "key"})
    assert "twice" in problems("dev", process)["AIRTABLE_API_KEY"]


def test_a_secret_file_that_is_not_there_is_named_without_its_path(write, process):
    write("dev", {"AIRTABLE_API_KEY": None, "AIRTABLE_API_KEY_FILE": "/nowhere/else"})
    assert problems("dev", process) == {"AIRTABLE_API_KEY_FILE": "names a file that cannot be read"}


def test_only_secrets_may_be_files(write, process):
    write("dev", {"AIRTABLE_BASE_ID_FILE": "x"})
    assert load("dev", process).unknown == ("AIRTABLE_BASE_ID_FILE",)


def test_a_line_that_is_no_setting_is_refused_by_its_number(write, process):
    path = write("dev")
    path.write_text(path.read_text() + "MISSING THRESHOLD=5\n")
    assert problems("dev", process)["dev.env"].startswith("line 3 ")


def test_a_name_without_a_value_is_refused(write, process):
    path = write("dev")
    path.write_text(path.read_text() + "LOG_LEVEL\n")
    assert "line 3" in problems("dev", process)["dev.env"]


def test_a_file_that_is_no_text_is_refused(write, process):
    write("dev").write_bytes(b"\xff\xfe\x00broken")
    assert "UTF-8" in problems("dev", process)["dev.env"]


def test_a_file_that_may_not_be_read_is_refused(write, process, monkeypatch):
    write("dev")
    original = Path.read_text

    def refuse(self, *args, **kwargs):
        if self.name == "dev.env":
            raise PermissionError(13, "denied")
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Path, "read_text", refuse)
    assert "cannot be read" in problems("dev", process)["dev.env"]


def test_dollar_signs_quotes_comments_and_a_byte_order_mark_are_taken_as_they_are(write, process):
    path = write("dev", {"EVOLVE_PASSWORD": "'a$HOME ${USER}#b'"})
    path.write_text("\ufeff# a comment\nexport LOG_LEVEL=DEBUG\n" + path.read_text(), encoding="utf-8")
    settings = load("dev", process)
    assert settings.evolve_password.get_secret_value() == "a$HOME ${USER}#b"
    assert settings.log_level == "DEBUG"


def test_nothing_of_the_files_is_exported(write, process, monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    write("dev")
    load("dev", process)
    assert "AIRTABLE_API_KEY" not in os.environ


def test_an_unknown_name_is_no_error_but_is_remembered(write, process):
    write("dev", {"MISSING_TRESHOLD": "5"})
    assert load("dev", process).unknown == ("MISSING_TRESHOLD",)


def test_the_settings_of_jobs_have_one_spelling_each_and_a_default_or_none(write, process):
    """J-7, JX-13: another spelling is named, and is not taken for the setting."""
    types = ("STR_NEXT_GUEST", "STR_OWNER", "RETURN_LAUNDRY", "INSPECTION")
    right = [f"HCP_{each}_JOB_TYPE_ID" for each in types]
    assert sorted(name for name in NAMES if "JOB_TYPE" in name) == sorted(right)
    wrong = [f"HCP_{each}_JOB_TYPE" for each in types] + ["HCP_NEXT_GUEST_JOB_TYPE_ID", "LAUNDRY_JOB_TYPE_ID"]
    write("dev", dict.fromkeys(wrong, "jbt_1"))
    settings = load("dev", process)
    assert sorted(settings.unknown) == sorted(wrong)
    assert [getattr(settings, name.lower()) for name in right] == [None] * 4
    jobs = (settings.auto_create_jobs, settings.on_removed, settings.service_line_limit, settings.hcp_hourly_limit)
    assert jobs == ("ready", "notify", 200, 1000)
    assert settings.hcp_base_url == "https://api.housecallpro.com"
    unset = ("hcp_api_key", "hcp_company_id", "hcp_webhook_secret", "servativ_webhook_secret", "hcp_employee_id")
    assert [getattr(settings, name) for name in unset] == [None] * 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTO_CREATE_JOBS", "yes"),
        ("ON_REMOVED", "delete"),
        ("SERVICE_LINE_LIMIT", "0"),
        ("SERVICE_LINE_LIMIT", "many"),
    ],
)
def test_another_word_for_how_jobs_are_made_is_refused(write, process, name, value):
    """J-7."""
    write("dev", {name: value})
    assert list(problems("dev", process)) == [name]


def test_variables_of_the_other_environment_are_dropped_and_reported(write, process):  # Z-23
    write("dev")
    variables = {**process, "AIRTABLE_API_KEY_PROD": "patOTHERmadeup", "API_KEY_FILE_PROD": "x", "EDITOR_PROD": "vi"}
    settings = load("dev", variables)
    assert settings.dropped == ("AIRTABLE_API_KEY_PROD", "API_KEY_FILE_PROD")
    drop_foreign(settings, variables)
    assert not {"AIRTABLE_API_KEY_PROD", "API_KEY_FILE_PROD"} & set(variables)
    assert variables["EDITOR_PROD"] == "vi"


def test_printed_settings_show_no_secret(write, process):
    write("dev", {"API_KEY": SECRET, "DATABASE_URL": f"postgresql+psycopg://me:{SECRET}@db.example.com/changeover"})
    settings = load("dev", process)
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert SECRET not in shown
        assert "patDEVmadeup01" not in shown
    assert "**" in repr(settings)


def test_every_secret_is_known_for_redaction_each_value_of_a_rotation_too(write, process):
    url = "postgresql+psycopg://me:dbword99@db.example.com/changeover"
    write("dev", {"API_KEY": "old-key-1, new-key-2", "DATABASE_URL": url})
    assert {"patDEVmadeup01", "old-key-1, new-key-2", "old-key-1", "new-key-2", url, "dbword99"} <= set(
        load("dev", process).secret_values
    )


def test_every_name_that_sounds_secret_is_a_secret():
    loud = {name for name in NAMES if any(word in name for word in ("KEY", "SECRET", "PASSWORD"))}
    assert loud | {"DATABASE_URL", "NOTIFY_URLS", "HEARTBEAT_URL"} == set(SECRETS)


def test_outside_urls_are_those_in_use(write, process):
    write("dev", {"AIRTABLE_ENDPOINT_URL": "http://127.0.0.1:1"})
    assert load("dev", process).outside_urls == ("http://127.0.0.1:1",)
    more = {
        "HCP_API_KEY": "hcp-made-up",
        "HCP_STR_NEXT_GUEST_JOB_TYPE_ID": "jbt_1",
        "EVOLVE_PORTAL_URL": "https://portal.example.com",
        "NOTIFY_URLS": "json://alerts.example.com",
        "HEARTBEAT_URL": "https://beat.example.com/1",
    }
    write("dev", more)
    assert set(load("dev", process).outside_urls) == {
        "https://api.airtable.com",
        "https://api.housecallpro.com",
        "https://portal.example.com",
        "json://alerts.example.com",
        "https://beat.example.com/1",
    }


def test_the_data_folder_may_not_be_in_the_source_tree(write, process):
    import changeover

    write("dev")
    inside = str(Path(changeover.__file__).parent / "var")
    assert "source tree" in problems("dev", {**process, "CHANGEOVER_HOME": inside})["CHANGEOVER_HOME"]


def test_without_variables_settings_and_data_are_looked_for_here(write, process, tmp_path, monkeypatch):
    write("dev")
    monkeypatch.chdir(tmp_path)
    settings = load("dev", {})
    assert settings.config == tmp_path / "config"
    assert settings.home == tmp_path / "var"
    assert str(settings.zone) == "America/Phoenix"
