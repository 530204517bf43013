"""The dialects by platform; a further platform is a module here and a line below."""

from changeover_sandbox.feeds.dialects import (
    airbnb,
    booking,
    google,
    guesty,
    hospitable,
    hostaway,
    igms,
    lodgify,
    ownerrez,
    smoobu,
    tripadvisor,
    vrbo,
)
from changeover_sandbox.feeds.dialects.scene import Dialect, Scene
from changeover_sandbox.world import Channel

DIALECTS: dict[Channel, Dialect] = {
    Channel.AIRBNB: airbnb.DIALECT,
    Channel.BOOKING: booking.DIALECT,
    Channel.VRBO: vrbo.DIALECT,
    Channel.HOSTAWAY: hostaway.DIALECT,
    Channel.GUESTY: guesty.DIALECT,
    Channel.OWNERREZ: ownerrez.DIALECT,
    Channel.HOSPITABLE: hospitable.DIALECT,
    Channel.LODGIFY: lodgify.LODGIFY,
    Channel.HOSTTOOLS: lodgify.HOSTTOOLS,
    Channel.SMOOBU: smoobu.DIALECT,
    Channel.IGMS: igms.DIALECT,
    Channel.TRIPADVISOR: tripadvisor.DIALECT,
    Channel.GOOGLE: google.DIALECT,
}

__all__ = ["DIALECTS", "Dialect", "Scene"]
