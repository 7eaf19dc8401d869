"""
Outlook REST API v2.0 over the same mailboxes: names, paths and tokens of its own, and the Graph half behind it.

It was retired on 2024-03-31; old clients and logs still speak it. Nothing here knows what an event is: requests are
translated into those of Graph, and the answers back.
Source: "Outlook Calendar REST API reference (version 2.0)".
"""

from classbell.sandbox.outlook_rest.face import OutlookFace

__all__ = ["OutlookFace"]
