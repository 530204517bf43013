"""Made-up words for houses, streets and people; no real person or place of business is meant."""

# fmt: off
HOUSE_FIRST = (
    "Saguaro", "Agave", "Ocotillo", "Cholla", "Mesquite", "Juniper", "Yucca", "Copper", "Turquoise", "Canyon",
    "Ridge", "Quill", "Sonoran", "Palo", "Juno", "Sedge", "Kestrel", "Quail", "Heron", "Wren", "Sandstone", "Adobe",
    "Cinder", "Basalt", "Marigold", "Lantern", "Harbor", "Meadow", "Willow", "Cedar", "Aspen", "Cobalt", "Amber",
    "Saffron", "Indigo", "Velvet", "Cactus", "Monsoon", "Sunrise", "Starlight",
)
HOUSE_SECOND = (
    "Loft", "Retreat", "Casita", "Cottage", "House", "Bungalow", "Hideaway", "Villa", "Studio", "Cabin", "Lodge",
    "Haven", "Nook", "Manor", "Terrace", "Court", "Patio", "Garden", "Suite", "Landing", "Oasis", "Ranch", "Hacienda",
    "Perch", "Outpost",
)
STREETS = (
    "Palo Verde Ln", "Ironwood Dr", "Desert Willow Way", "Quartz Ct", "Copper Sky Rd", "Bluebird Cir", "Larkspur Ave",
    "Old Mill St", "Sandpiper Pl", "Prickly Pear Trl",
)
TOWNS = (
    "Mesa", "Tempe", "Gilbert", "Chandler", "Peoria", "Glendale", "Surprise", "Goodyear",
)
FIRST_NAMES = (
    "Ada", "Bram", "Cleo", "Dario", "Elin", "Fenn", "Greta", "Hollis", "Imre", "Jory", "Kaia", "Linus", "Mira",
    "Nico", "Orla", "Piet", "Quinn", "Runa", "Silas", "Tove", "Ulf", "Vida", "Wim", "Xenia", "Yara", "Zeno", "Ines",
    "Zoë", "René", "Björn",
)
LAST_NAMES = (
    "Ashdown", "Birchall", "Calloway", "Dunmore", "Everleigh", "Fairwind", "Glasswell", "Harrowgate", "Inglefield",
    "Jessamy", "Kettering", "Longmire", "Merriweather", "Northcott", "Oakhurst", "Pemberly", "Quillfeather",
    "Rosewater", "Stonebridge", "Thistlewood", "Underhill", "Vanterpool", "Winterbourne", "Yarrowby", "Zellweather",
)
# fmt: on
