"""What every source of stays keeps to; a source's own tests inherit `SourceConformance` and give it batches."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

import pytest

from changeover.core.stay import Batch

MAX_NIGHTS = 400
PERSONAL = re.compile(r"https?://|\+?\d[\d ()-]{7,}\d(?!\d)|\b\d{3}-\d{4}\b|\S+@\S+\.\S+")


class SourceConformance:
    """A subclass gives a fixture `batches` (some of them with rejected items) and one `personal`: words of the samples,
    such as guests' names, that must not be in any text."""

    @pytest.fixture
    def batches(self) -> Sequence[Batch]:
        raise NotImplementedError

    @pytest.fixture
    def personal(self) -> Sequence[str]:
        raise NotImplementedError

    def test_there_is_something_to_judge(self, batches: Sequence[Batch]) -> None:
        assert any(batch.observations for batch in batches)
        assert any(batch.rejected for batch in batches)

    def test_a_batch_names_its_source_its_instant_and_its_window(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            assert batch.source.key
            assert batch.source.url
            assert batch.source.entry_source
            assert batch.at.tzinfo is not None
            assert batch.window is not None
            assert batch.window.first <= batch.window.last

    def test_every_observation_has_a_home_a_uid_and_between_1_and_400_nights(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            for each in batch.observations:
                assert each.uid == each.uid.strip() != ""
                assert each.property_id
                assert 1 <= (each.check_out - each.check_in).days <= MAX_NIGHTS

    def test_a_source_of_one_home_shows_that_home_only(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            if batch.property_id is not None:
                assert {each.property_id for each in batch.observations} <= {batch.property_id}

    def test_a_uid_names_one_stay_of_a_home(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            doubles = [key for key, n in Counter((o.property_id, o.uid) for o in batch.observations).items() if n > 1]
            assert doubles == []

    def test_what_was_rejected_says_where_and_why(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            for each in batch.rejected:
                assert each.place
                assert re.fullmatch(r"[a-z_]+", each.reason)

    def test_a_rejected_item_that_cannot_be_told_leaves_its_batch_incomplete(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            assert batch.complete == (batch.fully_read and all(each.still_seen for each in batch.rejected))

    def test_nothing_personal_is_in_any_text(self, batches: Sequence[Batch], personal: Sequence[str]) -> None:
        for batch in batches:
            kinds = [text for o in batch.observations for text in (o.kind, o.block_type)]
            faults = [text for r in batch.rejected for text in (r.place, r.reason)]
            said = " ".join([*kinds, *faults, *batch.dropped, batch.source.entry_source])
            assert PERSONAL.search(said) is None
            everything = " ".join([said, *(o.uid for o in batch.observations)]).lower()
            assert [word for word in personal if word.lower() in everything] == []

    def test_reading_the_same_again_says_the_same(self, batches: Sequence[Batch]) -> None:
        ordered = sorted(batches, key=lambda batch: batch.source.key)
        for _, same in groupby(ordered, key=lambda batch: batch.source.key):
            first, *others = same
            assert all(other.observations == first.observations for other in others)
