"""What a person can do about each of the API's words (J-107); it says nothing about the case at hand."""

from __future__ import annotations

from typing import Final

REMEDIES: Final = {
    "no_service_time": "Fill in the Check-out Date, or correct Custom Service Time.",
    "no_property": "Link the row to its property in Property ID.",
    "no_hcp_customer": "Link the property to its customer, and give the customer its HCP Customer ID (cus_…).",
    "no_hcp_address": "Give the property its HCP Address ID (adr_…).",
    "address_mismatch": "Compare HCP Customer ID and HCP Address ID of the property with Housecall Pro.",
    "no_template": "Give the property the id of a template job that has line items (job_…).",
    "not_eligible": "Change what the sentence names; if it is right so, nothing is to be done.",
    "multi_visit": "The job has several visits: move the right one in Housecall Pro.",
    "not_found": "Look whether the row, its job or the run is still there.",
    "unauthorized": "Put the right key, or the link's right token, into the script or button.",
    "wrong_environment": "Use the key and the address of the same environment, dev or prod.",
    "stopped": "Changeover was stopped by a person; ask who, then try again after `resume`.",
    "busy": "Try again in a few seconds; the same request gets the answer of the one under way.",
    "rate_limited": "Wait a little, then try again.",
    "hcp_error": "Try again; if it stays, look into Housecall Pro. No second job is made.",
    "airtable_error": "Try again; if it stays, look at the status page of Airtable.",
    "bad_request": "The script and the server do not fit together: install the script of this release.",
    "internal_error": "Tell who runs Changeover, with the request id.",
}
