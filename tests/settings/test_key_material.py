"""A certificate is configured as a pair of PEM files or as a keystore, and never as half of either."""

import pytest
from tests.settings.folder import INSTITUTION, Folder

PAIR = 'certificate = { file = "cert.pem" }\nprivate_key = { file = "key.pem" }\n'
STORE = 'keystore = { file = "store.jks" }\n'


def described(block: str) -> str:
    start, end = INSTITUTION.index("certificate ="), INSTITUTION.index("[[sources]]")
    return INSTITUTION[:start] + block + "\n" + INSTITUTION[end:]


@pytest.mark.parametrize(
    "block",
    [
        PAIR,
        PAIR + "key_password = { prompt = true }\n",
        STORE,
        STORE + 'alias = "Classbell 2026"\nstore_password = { credential = "store-password" }\n',
        STORE + 'store_password = { env = "STORE" }\nkey_password = { file = "key-password" }\n',
        'keystore = { credential = "classbell.p12" }\n',
    ],
)  # fmt: skip
def test_a_pair_or_a_keystore_is_enough(folder: Folder, block: str) -> None:
    (certificate,) = folder.load(example=described(block)).institution().tenant.certificates
    assert (certificate.keystore is None) == (certificate.private_key is not None)
    assert certificate.place


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("", "either certificate and private_key, or a keystore"),
        ('alias = "a"\n', "either certificate and private_key, or a keystore"),
        (PAIR + STORE, "either certificate and private_key, or a keystore"),
        ('certificate = { file = "cert.pem" }\n', "private_key is missing"),
        ('private_key = { file = "key.pem" }\n', "certificate is missing"),
        (PAIR + 'store_password = { file = "p" }\n', "alias and store_password belong to a keystore"),
        (PAIR + 'alias = "a"\n', "alias and store_password belong to a keystore"),
        (PAIR.replace('{ file = "key.pem" }', "{ prompt = true }"), "a private key cannot be typed in"),
        ('keystore = { file = "a", credential = "b" }\n', "exactly one of file and credential"),
        ('keystore = { env = "STORE" }\n', 'unknown key "env"'),
        ('keystore = "MIIJ"\n', "holds the content itself"),
        (STORE + 'store_password = "hunter2"\n', "holds the content itself"),
    ],
)
def test_half_of_either_or_both_is_refused_in_plain_words(folder: Folder, block: str, words: str) -> None:
    problems = folder.problems(example=described(block))
    assert any(words in problem.text for problem in problems), problems
    assert all("hunter2" not in f"{problem.text} {problem.hint}" for problem in problems)
