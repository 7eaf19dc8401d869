"""What all settings share."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """
    Base of all settings: they never change, and a key that nobody knows is an error.

    The text under a field is its description: the reference page and the JSON Schema are made of it.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        validate_default=True,
        use_attribute_docstrings=True,
    )
