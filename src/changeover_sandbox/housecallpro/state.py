"""Everything the stand-in knows: the companies, whom a key lets in, limits, the file; it speaks no HTTP."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from changeover_sandbox.housecallpro.company import Account, Cause, Company, Work
from changeover_sandbox.housecallpro.limits import Limits
from changeover_sandbox.housecallpro.model import Job
from changeover_sandbox.housecallpro.storage import Storage


@dataclass(slots=True)
class State:
    """All state of one stand-in; `clock` gives seconds after 1970."""

    storage: Storage
    clock: Callable[[], float]
    companies: Sequence[Company]
    limits: Limits = field(default_factory=Limits)
    doors: Mapping[str, Company] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # The whole header, so that no other form of authorization opens anything (HC-98).
        by_key = {f"Token {company.account.api_key}": company for company in self.companies}
        by_grant = {f"Bearer oauth-{company.account.api_key}": company for company in self.companies}
        self.doors = by_key | by_grant

    def now(self) -> datetime:
        """The clock as an instant."""
        return datetime.fromtimestamp(self.clock(), UTC)

    def work(self, company: Company, at: datetime | None = None) -> Work:
        """A piece of work on a company at this instant, or said to have happened at another one."""
        now = self.now()
        return Work(company, now, at or now)

    def company_named(self, environment: str) -> Company | None:
        """The company of an environment."""
        return next((one for one in self.companies if one.account.environment == environment), None)

    def job(self, job_id: str) -> tuple[Company, Job] | None:
        """A job of any company, also a deleted one."""
        for company in self.companies:
            if job_id in company.jobs:
                return company, company.jobs[job_id]
        return None

    def flush(self) -> list[tuple[Company, Cause]]:
        """Save what the request changed, and take what is to be made known of it."""
        told: list[tuple[Company, Cause]] = []
        for company in self.companies:
            self.storage.save(company.account.company_id, list(company.changed.values()))
            company.changed.clear()
            told += [(company, cause) for cause in company.causes]
            company.causes.clear()
        return told

    def reset(self) -> None:
        """Empty every company; keys, secrets and the settings of the limits stay."""
        for company in self.companies:
            company.empty()
        self.limits.open()
        self.storage.clear()

    def close(self) -> None:
        """Give the file back."""
        self.storage.close()


def open_state(folder: Path | None, accounts: Sequence[Account], clock: Callable[[], float]) -> State:
    """The state as the folder has it, or an empty one."""
    state = State(Storage(folder), clock, [Company(account) for account in accounts])
    for company in state.companies:
        for thing in state.storage.load(company.account.company_id):
            company.keep(thing)
        company.changed.clear()
    return state
