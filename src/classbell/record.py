"""What the ledger keeps of a run, for people: what it read, planned, held and did, and how it ended."""

from collections.abc import Sequence

from classbell.access import Access
from classbell.errors import ClassbellError
from classbell.identity.tokens import LARGE_SKEW
from classbell.model import Action
from classbell.numbering import PROVISIONAL
from classbell.plan import Plan
from classbell.report import Report, Review, summary_of

# Of thousands of mailboxes that are held one by one, the first will do.
_HOLDS_KEPT = 50


def record_of_review(
    review: Review, approvals: Sequence[int] = (), allowed: int = 0, allowed_by: str = ""
) -> dict[str, object]:
    """
    What a run read, planned and held, and by what decisions of people: approvals, and who agreed to how many deletions.

    Mailboxes are named by their numbers in the ledger: who is forgotten there is not remembered here.
    """
    record: dict[str, object] = {
        "read": [
            {"source": s.source, "meetings": len(s.meetings), "unread": len(s.coverage.unread)}
            for s in review.snapshots
            # Whoever carries a saved plan out reads nothing.
            if not review.saved
        ],
        "unread": [
            {
                "source": name,
                "code": failure.code,
                "what": failure.what,
                "why": failure.why,
                "exit": failure.exit_code,
            }
            for name, failure in zip(review.failed, review.failures, strict=True)
        ],
        "planned": _counts(review.plan),
        "passed": _counts(review.passed),
        "unchanged": review.plan.unchanged,
        "stopped": [
            {
                "id": hold.id,
                "code": hold.code,
                "scope": hold.scope,
                "subject": int(hold.subject) if hold.scope == "mailbox" else hold.subject,
                "text": hold.text,
                "changes": hold.changes,
                "deletes": hold.deletes,
            }
            for hold in review.verdict.holds[:_HOLDS_KEPT]
        ],
    }
    if review.only is not None and review.only < PROVISIONAL:
        record["mailbox"] = review.only
    if approvals:
        record["approved"] = list(approvals)
    if allowed:
        record |= {"allowed": allowed, "allowed_by": allowed_by}
    if review.saved:
        record["plan"] = review.saved
    return record


def record_of_end(report: Report, access: Access) -> dict[str, object]:
    """What a run did."""
    ahead = access.tokens.ahead
    # By how many seconds our clock is ahead of Microsoft's, where that is worth a warning.
    clock = {"clock_ahead": round(ahead)} if ahead is not None and abs(ahead) > LARGE_SKEW else {}
    return summary_of(report) | clock


def record_of_error(error: ClassbellError) -> dict[str, object]:
    """What ended a run before its time."""
    return {"error": error.code, "what": error.what, "why": error.why, "do": error.do}


def _counts(plan: Plan) -> dict[str, int]:
    return {action.name.lower(): plan.count(action) for action in Action if plan.count(action)}
