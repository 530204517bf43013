"""Settings of one environment: read, checked, proved apart from the other's; the only reader of env files."""

from changeover.settings.loading import drop_foreign, load
from changeover.settings.model import NAMES, SECRETS, AutoCreateJobs, LogLevel, OnRemoved, Settings, is_loopback
from changeover.settings.reading import ConfigurationError, EnvironmentName, Problem

__all__ = [
    "NAMES",
    "SECRETS",
    "AutoCreateJobs",
    "ConfigurationError",
    "EnvironmentName",
    "LogLevel",
    "OnRemoved",
    "Problem",
    "Settings",
    "drop_foreign",
    "is_loopback",
    "load",
]
