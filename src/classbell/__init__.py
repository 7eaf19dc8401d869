"""Classbell keeps every lecturer's and student's Outlook calendar true to the institution's timetable."""

from importlib.metadata import version

__version__ = version("classbell")
