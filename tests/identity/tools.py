"""Key material as the real openssl and the real keytool make it, and what they make of ours."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from classbell.settings import CertificateSettings

SUBJECT = "/C=NL/O=Example University/CN=classbell"
STORE = "store-pass 4c1b"
KEY = "key-pass 9d7e"
WORDS = {"openssl": "openssl", "keytool": "default-jre-headless"}


def run(*command: str | Path, cwd: Path, text: str = "") -> str:
    """Run a tool; what it printed on both ways out."""
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is missing; on Debian and Ubuntu: apt install {WORDS[str(command[0])]}")
    ended = subprocess.run(
        [*map(str, command)], cwd=cwd, check=False, capture_output=True, text=True, input=text
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def keytool(command: str, *arguments: str, cwd: Path) -> str:
    # Another language of the machine would change what it prints.
    return run("keytool", "-J-Duser.language=en", f"-{command}", "-noprompt", *arguments, cwd=cwd)


def pair(
    cwd: Path, *, password: str = "", algorithm: tuple[str, ...] = ("rsa:2048",), name: str = ""
) -> None:
    """``key.pem`` and ``cert.pem`` by the command of the guides."""
    run(
        *("openssl", "req", "-x509", "-newkey", *algorithm, "-days", "365", "-subj", SUBJECT),
        *("-keyout", f"{name}key.pem", "-out", f"{name}cert.pem"),
        *(("-passout", f"pass:{password}") if password else ("-nodes",)),
        cwd=cwd,
    )


def chain(cwd: Path) -> None:
    """``cert.pem`` of ``key.pem``, signed by ``middle.pem``, signed by ``root.pem``; the two in ``chain.pem``."""
    authority = ("-addext", "basicConstraints=critical,CA:TRUE")
    for name, issuer in (("root", ""), ("middle", "root"), ("", "middle")):
        stem = f"{name}-" if name else ""
        run(
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "365"),
            *("-subj", f"/CN={name}" if name else SUBJECT),
            *("-keyout", f"{stem}key.pem", "-out", f"{name}.pem" if name else "cert.pem"),
            *(authority if name else ()),
            *(("-CA", f"{issuer}.pem", "-CAkey", f"{issuer}-key.pem") if issuer else ()),
            cwd=cwd,
        )
    (cwd / "chain.pem").write_bytes((cwd / "root.pem").read_bytes() + (cwd / "middle.pem").read_bytes())


def generate(cwd: Path, store: str, *options: str, alias: str = "classbell", storetype: str = "") -> None:
    """A keystore with a new key by keytool."""
    keytool(
        "genkeypair",
        *("-alias", alias, "-keyalg", "RSA", "-keysize", "2048", "-validity", "365"),
        *("-dname", f"CN={alias},O=Example University,C=NL", "-keystore", store, "-storepass", STORE),
        *(("-storetype", storetype) if storetype else ()),
        *options,
        cwd=cwd,
    )


def configured(cwd: Path, **given: str) -> CertificateSettings:
    """
    The settings of a certificate in a folder; all its files as private as messages ask for.

    ``alias`` is a text, ``store_password`` and ``key_password`` are the passwords, the others file names.
    """
    described: dict[str, Any] = {}
    for name, value in given.items():
        if name == "alias":
            described[name] = value
            continue
        path = cwd / (name if name.endswith("password") else value)
        if name.endswith("password"):
            path.write_text(f"{value}\n")
        path.chmod(0o600)
        described[name] = {"file": path}
    return CertificateSettings.model_validate(described)


Maker = Callable[[Path], CertificateSettings]
