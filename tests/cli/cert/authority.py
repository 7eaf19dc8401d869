"""An institution's certificate authority: a root, one below it, and its answers to requests."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @classmethod
    def root(cls) -> "Authority":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return cls(key, _signed(_name("Example Root"), key.public_key(), _name("Example Root"), key, ca=True))

    def below(self) -> "Authority":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        made = _signed(
            _name("Example Issuing"), key.public_key(), self.certificate.subject, self.key, ca=True
        )
        return Authority(key, made)

    def answer(self, request: bytes) -> x509.Certificate:
        asked = x509.load_pem_x509_csr(request)
        assert asked.is_signature_valid
        key = asked.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        return _signed(asked.subject, key, self.certificate.subject, self.key, ca=False)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _signed(
    subject: x509.Name, key: rsa.RSAPublicKey, issuer: x509.Name, signer: rsa.RSAPrivateKey, *, ca: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )
