"""pyairtable's ORM with every kind of field that it knows, against fields of that kind."""

from datetime import UTC, date, datetime, timedelta

import pytest
from pyairtable.orm import Model
from pyairtable.orm import fields as f

HOMES, LINK, RANK = "tblHomes000000001", "fldLink0000000001", "fldRank0000000001"
STAMP = {"timeZone": "utc", "dateFormat": {"name": "iso"}, "timeFormat": {"name": "24hour"}}
RESULT = {"type": "number", "options": {"precision": 0}}


def column(name: str, kind: str, **options: object) -> dict:
    return {"name": name, "type": kind, **({"options": options} if options else {})}


WRITABLE = [
    column("Text", "singleLineText"),
    column("Long", "multilineText"),
    column("Rich", "richText"),
    column("Mail", "email"),
    column("Phone", "phoneNumber"),
    column("Web", "url"),
    column("Number", "number", precision=3),
    column("Integer", "number", precision=0),
    column("Float", "number", precision=8),
    column("Price", "currency", precision=2, symbol="$"),
    column("Share", "percent", precision=1),
    column("Stars", "rating", icon="star", max=5, color="yellowBright"),
    column("Tick", "checkbox", icon="check", color="greenBright"),
    column("Day", "date", dateFormat={"name": "iso"}),
    column("Moment", "dateTime", **STAMP),
    column("Span", "duration", durationFormat="h:mm:ss"),
    column("Pick", "singleSelect", choices=[{"name": "one"}]),
    column("Picks", "multipleSelects", choices=[{"name": "one"}, {"name": "two"}]),
    column("Files", "multipleAttachments", isReversed=False),
    column("Code", "barcode"),
    column("Who", "singleCollaborator"),
    column("All", "multipleCollaborators"),
]
COMPUTED = [
    column("Count", "count", isValid=True, recordLinkFieldId=LINK),
    column("Look", "multipleLookupValues", isValid=True, recordLinkFieldId=LINK, fieldIdInLinkedTable=RANK),
    column("Made", "createdTime", result={"type": "dateTime", "options": STAMP}),
    column("Touched", "lastModifiedTime", isValid=True, referencedFieldIds=[], result=None),
    column("Made by", "createdBy"),
    column("Touched by", "lastModifiedBy"),
    column("ID", "autoNumber"),
    column("Twice", "formula", isValid=True, formula="{Integer}*2", result=RESULT),
    column("Push", "button"),
    column("Robot", "aiText", prompt=["x"], referencedFieldIds=[]),
    column("Origin", "externalSyncSource", choices=[]),
    column("Order", "manualSort"),
]
TABLES = [
    {
        "id": HOMES,
        "name": "Homes",
        "fields": [column("Name", "singleLineText"), {**column("Rank", "number", precision=0), "id": RANK}],
    },
    {
        "name": "Everything",
        "fields": [
            *WRITABLE,
            {**column("Homes", "multipleRecordLinks", linkedTable="Homes"), "id": LINK},
            column("Home", "multipleRecordLinks", linkedTable="Homes"),
            *COMPUTED,
        ],
    },
]


@pytest.fixture
def models(empty) -> tuple[type[Model], type[Model]]:
    """A model of the linked table, and one with every kind of field."""
    loaded = empty.control("POST", "/schema", {"base_id": empty.base_id, "tables": TABLES})
    assert loaded.status_code == 200, loaded.text

    class Home(Model):
        Meta = {"base_id": empty.base_id, "table_name": "Homes", "api_key": empty.key}  # noqa: RUF012 -- its way
        name = f.RequiredTextField("Name")
        rank = f.RequiredIntegerField("Rank")

    class Everything(Model):
        Meta = {"base_id": empty.base_id, "table_name": "Everything", "api_key": empty.key}  # noqa: RUF012 -- its way
        text = f.SingleLineTextField("Text")
        long = f.MultilineTextField("Long")
        rich = f.RichTextField("Rich")
        mail = f.EmailField("Mail")
        phone = f.PhoneNumberField("Phone")
        web = f.UrlField("Web")
        number = f.NumberField("Number")
        integer = f.IntegerField("Integer")
        float = f.FloatField("Float")
        price = f.CurrencyField("Price")
        share = f.PercentField("Share")
        stars = f.RatingField("Stars")
        tick = f.CheckboxField("Tick")
        day = f.DateField("Day")
        moment = f.DatetimeField("Moment")
        span = f.DurationField("Span")
        pick = f.SelectField("Pick")
        picks = f.MultipleSelectField("Picks")
        files = f.AttachmentsField("Files")
        code = f.BarcodeField("Code")
        who = f.CollaboratorField("Who")
        all_of_them = f.MultipleCollaboratorsField("All")
        homes = f.LinkField("Homes", Home)
        home = f.SingleLinkField("Home", Home)
        count = f.CountField("Count")
        look = f.LookupField[int]("Look")
        made = f.CreatedTimeField("Made")
        touched = f.LastModifiedTimeField("Touched")
        made_by = f.CreatedByField("Made by")
        touched_by = f.LastModifiedByField("Touched by")
        serial = f.AutoNumberField("ID")
        twice = f.NumberField("Twice", readonly=True)
        push = f.ButtonField("Push")
        robot = f.AITextField("Robot")
        origin = f.ExternalSyncSourceField("Origin")
        order = f.ManualSortField("Order")

    Home.meta.api = Everything.meta.api = empty.api
    return Home, Everything


def test_no_kind_of_field_is_forgotten(models) -> None:
    used = {type(one) for one in models[1]._attribute_descriptor_map().values()}
    known = {one for one in f.FIELD_TYPES_TO_CLASSES.values() if isinstance(one, type)}
    assert known - used == {f.TextField}, "which is the old name of SingleLineTextField"
    assert {f.IntegerField, f.FloatField, f.SingleLinkField} <= used


def test_every_kind_of_field_is_written_and_read_back(models, empty) -> None:
    home_model, everything = models
    casa, villa = home_model(name="Casa", rank=1), home_model(name="Villa", rank=2)
    home_model.batch_save([casa, villa])
    me = empty.api.whoami()
    person = {"id": me["id"], "email": me["email"], "name": "Sandbox Owner"}
    written = {
        "text": "t",
        "long": "two\nlines",
        "rich": "**bold**\n",
        "mail": "guest@example.com",
        "phone": "555-0100",
        "web": "https://example.com/a",
        "number": 1.125,
        "integer": 21,
        "float": 0.5,
        "price": 12.34,
        "share": 0.125,
        "stars": 5,
        "tick": True,
        "day": date(2026, 3, 4),
        "moment": datetime(2026, 3, 4, 17, 15, tzinfo=UTC),
        "span": timedelta(hours=1, minutes=30),
        "pick": "brand new",
        "picks": ["two", "three"],
        "code": {"text": "4711", "type": "upce"},
        "who": person,
        "all_of_them": [person],
    }
    made = everything(**written, homes=[casa, villa], home=casa)
    assert made.save().created is True
    found = everything.from_id(made.id)
    assert {name: getattr(found, name) for name in written} == written
    assert ([one.name for one in found.homes], found.home.id, found.home.rank) == (["Casa", "Villa"], casa.id, 1)
    assert (found.count, found.look, found.serial, found.twice) == (2, [1, 2], 1, 42)
    assert found.made == found.touched == found.created_time
    assert (found.made_by, found.touched_by) == (person, person)
    assert (found.push, found.files) == ({"label": "Push", "url": None}, [])
    assert (found.robot, found.origin, found.order) == (None, "", "")
    assert found.twice == everything.first(formula=everything.span.eq(5400) & everything.homes.eq("Casa, Villa")).twice


def test_empty_fields_read_as_the_orm_expects(models) -> None:
    everything = models[1]
    made = everything(text="only")
    made.save()
    found = everything.from_id(made.id)
    assert (found.tick, found.day, found.span, found.picks, found.homes, found.home) == (
        False,
        None,
        None,
        [],
        [],
        None,
    )
    assert (found.number, found.long, found.who, found.count, found.look) == (None, "", None, 0, [])


def test_models_are_changed_cleared_refetched_and_deleted(models) -> None:
    home_model, everything = models
    made = everything(text="a", tick=True, picks=["one", "two"], day=date(2026, 3, 4))
    made.save()
    made.picks.remove("one")
    made.day, made.tick = None, False
    assert made.save().field_names >= {"Day", "Tick", "Picks"}
    made.fetch()
    assert (made.picks, made.day, made.tick) == (["two"], None, False)
    assert made.save().updated is False
    many = [everything(text=str(number)) for number in range(15)]
    everything.batch_save(many)
    assert [one.text for one in everything.from_ids([one.id for one in many[:12]])] == [str(n) for n in range(12)]
    assert made.delete() is True
    everything.batch_delete(many)
    assert everything.all() == []
    assert home_model.first() is None


def test_comments_belong_to_models_too(models) -> None:
    everything = models[1]
    made = everything(text="a")
    made.save()
    made.add_comment("hello")
    assert [one.text for one in made.comments()] == ["hello"]
    assert everything.first(count_comments=True).comment_count == 1


def test_models_work_with_field_ids(models, empty) -> None:
    casa = models[0](name="Casa", rank=1)
    casa.save()
    name = empty.table("Homes").schema().field("Name").id

    class ById(Model):
        Meta = {"base_id": empty.base_id, "table_name": HOMES, "api_key": "x", "use_field_ids": True}  # noqa: RUF012
        name_ = f.TextField(name)
        rank = f.IntegerField(RANK)

    ById.meta.api = empty.api
    found = ById.from_id(casa.id)
    assert (found.name_, found.rank) == ("Casa", 1)
    found.rank = 7
    found.save()
    assert ById.first(formula=ById.rank.eq(7), fields=[RANK]).id == casa.id
