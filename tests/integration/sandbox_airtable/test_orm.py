"""pyairtable's ORM, as other people's programs use it."""

from datetime import date

from pyairtable.orm import Model
from pyairtable.orm import fields as f


def test_models_are_saved_found_linked_and_deleted(sandbox) -> None:
    class Home(Model):
        name = f.TextField("Name")

        class Meta:
            base_id = sandbox.base_id
            table_name = "Homes"
            api_key = sandbox.key

    class Stay(Model):
        uid = f.TextField("UID")
        home = f.SingleLinkField("Home", Home)
        status = f.SelectField("Status")
        check_in = f.DateField("Check-in")
        seen = f.DatetimeField("Seen")
        count = f.IntegerField("Count")
        ready = f.CheckboxField("Ready")

        class Meta:
            base_id = sandbox.base_id
            table_name = "Stays"
            api_key = sandbox.key

    Home.meta.api = Stay.meta.api = sandbox.api
    home = Home(name="Casa")
    home.save()
    stay = Stay(uid="a", home=home, status="Brand new", check_in=date(2026, 3, 4), count=2, ready=True)
    stay.save()
    found = Stay.first(formula=Stay.uid.eq("a"))
    assert (found.home.name, found.status, found.check_in) == ("Casa", "Brand new", date(2026, 3, 4))
    assert (found.count, found.ready, found.seen) == (2, True, None)
    found.ready = False
    found.save()
    assert Stay.from_id(stay.id).ready is False
    Stay.batch_save([Stay(uid="b"), Stay(uid="c")])
    assert sorted(one.uid for one in Stay.all()) == ["a", "b", "c"]
    Stay.batch_delete(Stay.all())
    assert Stay.all() == []
