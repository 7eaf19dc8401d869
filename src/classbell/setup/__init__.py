"""
Guided set-up: what an institution's administrators have to do in Entra ID and Exchange, filled in.

    facts         what is known of one institution           clouds, permissions   Microsoft's names for things
    parts         the texts and scripts, from templates/     quoting               values inside scripts
    certificates  the public part of what signs in           answers               ids that come back
"""

from classbell.setup.answers import Change, amended, parse_answer
from classbell.setup.certificates import PublicCertificate, public_certificates
from classbell.setup.facts import Facts, application_name, is_group, is_guid
from classbell.setup.parts import PARTS, Part, Script, answer_form, overview, rendered
from classbell.setup.quoting import one_line

__all__ = [
    "PARTS",
    "Change",
    "Facts",
    "Part",
    "PublicCertificate",
    "Script",
    "amended",
    "answer_form",
    "application_name",
    "is_group",
    "is_guid",
    "one_line",
    "overview",
    "parse_answer",
    "public_certificates",
    "rendered",
]
