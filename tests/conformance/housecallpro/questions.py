"""What nobody knows of Housecall Pro for sure, and what the stand-in assumes; the tests write down what they see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


@dataclass(frozen=True, slots=True)
class Open:
    """A question: the rule it is about, the question itself, and what the stand-in does."""

    rule: str
    text: str
    assumed: str


class Question(StrEnum):
    """The name under which an observation is noted."""

    LIMIT_HEADERS = "limit headers"
    LONGEST_NAME = "longest name"
    TIME_WITHOUT_OFFSET = "time without offset"
    COMPLETED = "completed job"
    CANCELED = "canceled job"
    STARTED = "started job"
    COMPANY_KEY = "company key"
    REPEATS = "repeats"
    UNASSIGNED = "pros_unassigned"
    WRONG_ADDRESS = "wrong address"
    VISIT_UPDATES = "updated_at, appointment"
    LINE_UPDATES = "updated_at, line item"
    COMPANY_ID = "company id"
    BEARER = "Bearer and the key"
    WRONG_KEY = "wrong key"
    NO_PEOPLE = "no people"
    PEOPLE_UNSCHEDULED = "people, unscheduled"
    SEVERAL_VISITS = "several visits"
    NEW_VISIT = "new appointment"
    IGNORED_KEYS = "ignored keys"
    LINE_IDS = "line item ids"
    OMITTED = "omitted attributes"
    UNKNOWN_SORT = "unknown sort_by"
    ANSWER_WORD = "answer's word as filter"
    OTHER_STATUS = "other statuses"
    DELETED = "deleted job"
    DELETING = "deleting a job"
    EVENT_NAMES = "other events"
    EVENT_JOBS = "jobs in events"


QUESTIONS: Final[Mapping[Question, Open]] = {
    Question.LIMIT_HEADERS: Open("HC-33", "Which headers of an ordinary answer speak of the rate limit?", "none"),
    Question.LONGEST_NAME: Open("HC-73", "How long may a line item's name be?", "255 kept, 256 refused (400)"),
    Question.TIME_WITHOUT_OFFSET: Open("HC-12", "What becomes of a time without offset?", "refused (400)"),
    Question.COMPLETED: Open("HC-103", "PUT schedule on a completed job?", "refused (400)"),
    Question.CANCELED: Open("HC-64", "PUT schedule on a canceled job?", "refused as archived (400)"),
    Question.STARTED: Open("HC-103", "DELETE schedule on a started job?", "refused (400)"),
    Question.COMPANY_KEY: Open("HC-6", "May a company key move a job?", "accepted"),
    Question.REPEATS: Open("HC-78", "Does a repeated webhook keep its timestamp?", "same body, another timestamp"),
    Question.UNASSIGNED: Open("HC-86", "Whom does pros_unassigned list?", "who left"),
    Question.WRONG_ADDRESS: Open("HC-102", "POST /jobs with an address that is not there?", "refused (404)"),
    Question.VISIT_UPDATES: Open("HC-107", "Does a changed appointment move the job's updated_at?", "yes"),
    Question.LINE_UPDATES: Open("HC-107", "Does a changed line item move the job's updated_at?", "yes"),
    Question.COMPANY_ID: Open("HC-97", "Is the company_id of events the id of GET /company?", "yes"),
    Question.BEARER: Open("HC-98", "Is `Bearer` before the key accepted too?", "refused (401)"),
    Question.WRONG_KEY: Open("HC-23", "What does a wrong key get?", "refused (401)"),
    Question.NO_PEOPLE: Open("HC-61", "Do empty dispatched_employees clear the people?", "cleared"),
    Question.PEOPLE_UNSCHEDULED: Open("HC-63", "Does DELETE schedule remove the people?", "removed"),
    Question.SEVERAL_VISITS: Open("HC-103", "PUT schedule on a job with two appointments?", "refused (400)"),
    Question.NEW_VISIT: Open("HC-51", "Does the answer to POST /jobs hold the appointment?", "no"),
    Question.IGNORED_KEYS: Open("HC-101", "Which keys that POST /jobs does not know have an effect?", "none"),
    Question.LINE_IDS: Open("HC-107", "What do the ids of line items begin with?", "rli_"),
    Question.OMITTED: Open("HC-71", "What does a PUT of a line item that leaves out the price?", "price 0"),
    Question.UNKNOWN_SORT: Open("HC-100", "GET /jobs with an unknown sort_by?", "refused (400)"),
    Question.ANSWER_WORD: Open("HC-41", "GET /jobs with work_status[]=needs scheduling?", "refused (400)"),
    Question.OTHER_STATUS: Open("HC-58", "Which work_status do the latest 200 jobs have beyond HC-57?", "none"),
    Question.DELETED: Open("HC-104", "GET of a deleted job?", "refused (404)"),
    Question.DELETING: Open("HC-39", "DELETE of a job?", "refused (404)"),
    Question.EVENT_NAMES: Open("HC-89", "Which events came that are in no table?", "none"),
    Question.EVENT_JOBS: Open("HC-84", "Which job events came without the whole job?", "none"),
}
