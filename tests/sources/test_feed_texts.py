"""The texts of an entry as people should read them."""

from tests.sources.reading import by_key, only, parsed


def test_the_time_of_an_export_does_not_change_a_meeting() -> None:
    morning, evening = parsed("ade_morning_export"), parsed("ade_evening_export")
    assert only(morning).fields == only(evening).fields
    assert only(morning).fields["description"] == "Group A\nROSA KELLER"


def test_entities_and_escapes_are_undone_and_lines_joined() -> None:
    fields = by_key(parsed("entities_and_html"))["lecture-1@example.edu"].fields
    assert fields == {
        "title": "Data- & information: Part 2",
        "location": "Büro 7, Nord 2nd floor",
        "description": "Bring <paper>; and a pen\\nib",
    }


def test_a_description_in_html_becomes_text_without_its_scripts() -> None:
    fields = by_key(parsed("entities_and_html"))["html@example.edu"].fields
    assert fields["description"] == "Module Code: AC21007\nStaff: Rosa Keller\nTom & Ada"


def test_a_description_that_is_only_there_in_html_is_used() -> None:
    assert by_key(parsed("entities_and_html"))["alt@example.edu"].fields["description"] == "Only here"


def test_kinds_links_and_comments_are_fields_and_empty_ones_are_left_out() -> None:
    assert only(parsed("kinds_and_links")).fields == {
        "title": "Algebra",
        "type": "Lecture, Week 1,2",
        "url": "https://example.edu/c?id=1",
        "notes": "Moved",
    }
