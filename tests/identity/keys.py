"""Keys and certificates made by the real openssl, and settings that name them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from classbell.settings import CertificateSettings


def openssl(*arguments: str | Path, cwd: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    subprocess.run(["openssl", *map(str, arguments)], cwd=cwd, check=True, capture_output=True)


def make_pair(
    folder: Path, *, password: str = "", days: int = 3650, algorithm: str = "rsa:2048", name: str = ""
) -> None:
    """``key.pem`` and ``cert.pem`` by the command that the guides give."""
    openssl(
        *("req", "-x509", "-newkey", algorithm, "-keyout", f"{name}key.pem", "-out", f"{name}cert.pem"),
        *("-days", str(days), "-subj", "/C=NL/O=Example University/CN=classbell"),
        *(("-passout", f"pass:{password}") if password else ("-nodes",)),
        cwd=folder,
    )
    (folder / f"{name}key.pem").chmod(0o600)


def settings(
    folder: Path, *, certificate: str = "cert.pem", key: str = "key.pem", password: str | None = None
) -> CertificateSettings:
    described: dict[str, object] = {
        "certificate": {"file": folder / certificate},
        "private_key": {"file": folder / key},
    }
    if password is not None:
        path = folder / "password"
        path.write_text(f"{password}\n")
        path.chmod(0o600)
        described["key_password"] = {"file": path}
    return CertificateSettings.model_validate(described)
