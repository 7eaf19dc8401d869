"""
Saved plans: a reviewed plan as a file, from which exactly that plan can be carried out later, or nothing.

The file is JSON that people can read. It names people and meetings by their keys, holds the bytes of events
that the ledger does not have yet, and never a secret. Its digest covers all of it but white space.

    file       what stands in it              standing   whether it may still be carried out
    writing    from a review to the file      reading    from the file to the review
"""

from classbell.saved.file import SavedInstitution, SavedPlan, decode, encode
from classbell.saved.reading import review_of
from classbell.saved.standing import Ground, check_ground, check_institution, left_to_do
from classbell.saved.writing import KEPT_FOR, save, saved_institution

__all__ = [
    "KEPT_FOR",
    "Ground",
    "SavedInstitution",
    "SavedPlan",
    "check_ground",
    "check_institution",
    "decode",
    "encode",
    "left_to_do",
    "review_of",
    "save",
    "saved_institution",
]
