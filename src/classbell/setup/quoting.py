"""
Values in scripts: whatever a name holds, it stays one literal of the script's language and nothing more.

No language can hold NUL in a text, nor has a name use for it: it is left out.
"""

import re
import shlex
import unicodedata

# PowerShell takes typographic quotation marks for plain ones (about_Quoting_Rules, "Single-quoted strings").
_POWERSHELL_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")
_HCL_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def shell(text: str) -> str:
    """A word of a POSIX shell."""
    return shlex.quote(text.replace("\0", ""))


def powershell(text: str) -> str:
    """A literal text of PowerShell, in which nothing is expanded."""
    return "'" + _POWERSHELL_QUOTES.sub(r"\1\1", text.replace("\0", "")) + "'"


def hcl(text: str) -> str:
    """
    A text of Terraform's language.

    ``${`` and ``%{`` would begin a template; as escapes of their first character they do not
    (hcl/hclsyntax/spec.md, "Template Expressions").
    """
    return '"' + "".join(_hcl_sign(text, at) for at in range(len(text)) if text[at] != "\0") + '"'


def _hcl_sign(text: str, at: int) -> str:
    sign = text[at]
    if sign in "$%" or (unicodedata.category(sign) in {"Cc", "Zl", "Zp"} and sign not in _HCL_ESCAPES):
        return f"\\u{ord(sign):04x}"
    return _HCL_ESCAPES.get(sign, sign)


def one_line(text: str) -> str:
    """Text for a comment or for people: without line ends and control characters."""
    shown = "".join(" " if unicodedata.category(sign) in {"Cc", "Zl", "Zp"} else sign for sign in text)
    return " ".join(shown.split())
