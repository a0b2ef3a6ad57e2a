"""Words in names of images: units of time, plates, positions, channels, months."""

DAY_WORDS = {
    "d", "day", "days", "dia", "dias", "día", "días", "tag", "tage", "jour", "jours", "giorno",
    "giorni", "dag", "dage", "doa", "adultday", "da", "age", "dayofadulthood",
}  # fmt: skip
HOUR_WORDS = {"h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden", "heure", "heures"}
WEEK_WORDS = {"w", "wk", "week", "weeks", "woche", "semaine", "semana"}
MINUTE_WORDS = {"m", "min", "mins", "minute", "minutes"}
INDEX_WORDS = {
    "t", "tp", "time", "timepoint", "frame", "f", "fr", "img", "im", "image", "scan", "seq",
    "series", "n", "no", "nr", "num", "pic", "photo", "capture", "cap", "snap", "snapshot", "dsc",
    "dscn", "dscf", "bild", "foto", "imagen", "rasp", "cam", "wa",
}  # fmt: skip
PLATE_WORDS = {
    "plate", "p", "pl", "dish", "petri", "sample", "rep", "replicate", "placa", "platte", "schale",
    "worms", "condition", "group", "r",
}  # fmt: skip
IMAGE_WORDS = {"site", "pos", "position", "field", "fov", "xy", "view", "region"}
CLOCK_WORDS = {
    "am", "pm", "morning", "noon", "afternoon", "evening", "night", "midday", "morgens", "mittags",
    "abends", "matin", "soir",
}  # fmt: skip
"""Words for times of the day, by which plates are not called; AM and PM are read with hours."""
MONTH_WORDS = {
    "januar", "februar", "märz", "maerz", "mrz", "mai", "juni", "juli", "okt", "oktober", "dez",
    "dezember", "janvier", "février", "fevrier", "fév", "fev", "mars", "avril", "avr", "juin",
    "juillet", "juil", "août", "aout", "septembre", "octobre", "novembre", "décembre", "decembre",
    "déc", "enero", "ene", "febrero", "marzo", "abril", "abr", "mayo", "junio", "julio", "agosto",
    "ago", "septiembre", "octubre", "noviembre", "diciembre", "dic", "gennaio", "gen", "aprile",
    "maggio", "mag", "giugno", "giu", "luglio", "lug", "settembre", "ottobre", "ott", "dicembre",
}  # fmt: skip
"""Months that no pattern reads; those in English are in ``MONTHS``."""
CHANNEL_WORDS = {"c", "ch", "channel", "w", "wavelength"}

ENGLISH = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip


def is_month(word: str) -> bool:
    """Return whether a word in small letters is a month: in English whole or short, or another."""
    english = len(word) > 2 and any(one.startswith(word) for one in ENGLISH)
    return english or word == "sept" or word in MONTH_WORDS
