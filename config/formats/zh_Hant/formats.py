from config.formats.en.formats import *  # noqa: F403  one way to write a date
