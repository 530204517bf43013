"""Month and weekday names by locale, and instants that carry one; it formats nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from changeover_sandbox.airtable.formula.values import FormulaError


@dataclass(frozen=True, slots=True)
class Locale:
    """A language's names, January and Sunday first."""

    months: tuple[str, ...]
    short_months: tuple[str, ...]
    days: tuple[str, ...]
    short_days: tuple[str, ...]


def _locale(months: str, short_months: str, days: str, short_days: str) -> Locale:
    return Locale(*(tuple(names.split()) for names in (months, short_months, days, short_days)))


ENGLISH: Final = _locale(
    "January February March April May June July August September October November December",
    "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "Sunday Monday Tuesday Wednesday Thursday Friday Saturday",
    "Sun Mon Tue Wed Thu Fri Sat",
)
_LOCALES: Final = {
    "en": ENGLISH,
    "de": _locale(
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Jan. Feb. März Apr. Mai Juni Juli Aug. Sep. Okt. Nov. Dez.",
        "Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag",
        "So. Mo. Di. Mi. Do. Fr. Sa.",
    ),
    "es": _locale(
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "ene. feb. mar. abr. may. jun. jul. ago. sep. oct. nov. dic.",
        "domingo lunes martes miércoles jueves viernes sábado",
        "dom. lun. mar. mié. jue. vie. sáb.",
    ),
    "fr": _locale(
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
        "dimanche lundi mardi mercredi jeudi vendredi samedi",
        "dim. lun. mar. mer. jeu. ven. sam.",
    ),
    "it": _locale(
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "gen feb mar apr mag giu lug ago set ott nov dic",
        "domenica lunedì martedì mercoledì giovedì venerdì sabato",
        "dom lun mar mer gio ven sab",
    ),
    "nl": _locale(
        "januari februari maart april mei juni juli augustus september oktober november december",
        "jan feb mrt apr mei jun jul aug sep okt nov dec",
        "zondag maandag dinsdag woensdag donderdag vrijdag zaterdag",
        "zo. ma. di. wo. do. vr. za.",
    ),
    "pt": _locale(
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "jan fev mar abr mai jun jul ago set out nov dez",
        "Domingo Segunda-feira Terça-feira Quarta-feira Quinta-feira Sexta-feira Sábado",
        "Dom Seg Ter Qua Qui Sex Sáb",
    ),
}


def find(name: str) -> Locale:
    """The locale of a name such as `es` or `en-gb`; raises FormulaError for a language not known here."""
    locale = _LOCALES.get(name.lower().partition("-")[0])
    if locale is None:
        raise FormulaError("locale is not known")
    return locale


class _Told(datetime):
    """An instant that is to be written in a locale."""

    locale: Locale = ENGLISH


def tell(moment: datetime, locale: Locale) -> datetime:
    """The same instant, to be written in this locale (`SET_LOCALE`)."""
    told = _Told.combine(moment.date(), moment.timetz())
    told.locale = locale
    return told


def of(moment: datetime) -> Locale:
    """The locale in which an instant is to be written."""
    return moment.locale if isinstance(moment, _Told) else ENGLISH
