"""The real nginx with deploy/nginx.conf, filled in as its operator does: name, certificate, addresses, folders."""

import asyncio
import ipaddress
import re
import shutil
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.api import PATIENCE
from tests.conftest import free_port

PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx.conf"
WRITES = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")  # folders that nginx makes, whether it needs them or not


class Nginx:
    """One nginx in a folder of its own, in front of these ports of loopback."""

    def __init__(self, folder: Path, ports: list[int]) -> None:
        self.port, self.plain_port = free_port(), free_port()
        self.url = f"https://localhost:{self.port}"
        self.tls = _make_certificate(folder)
        self._log = folder / "access.log"
        self._configuration = folder / "nginx.conf"
        self._configuration.write_text(self._filled_in(folder, ports))
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start, and wait until it listens."""
        command = [str(PROGRAM), "-c", str(self._configuration), "-e", "stderr", "-g", "daemon off;"]
        self._process = subprocess.Popen(command)  # noqa: ASYNC220
        async with asyncio.timeout(PATIENCE):
            while True:
                assert self._process.poll() is None, "nginx has ended"
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return

    def stop(self) -> None:
        """Stop at once."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)

    @property
    def log(self) -> str:
        """What it has written about requests."""
        return self._log.read_text()

    def _filled_in(self, folder: Path, ports: list[int]) -> str:
        text = CONFIGURATION.read_text(encoding="utf-8")
        text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.MULTILINE)  # not every machine has IPv6
        own = {
            "listen 80": f"listen 127.0.0.1:{self.plain_port}",
            "listen 443": f"listen 127.0.0.1:{self.port}",
            "play.example.com": "localhost",
            "127.0.0.1:8001": f"127.0.0.1:{ports[0]}",
            "127.0.0.1:8002": f"127.0.0.1:{ports[1]}",
            "/etc/ssl/gamebuddy": str(folder),
            "/var/log/nginx": str(folder),
            "/run/nginx.pid": str(folder / "nginx.pid"),
            "http {": "http {" + "".join(f"\n{name}_temp_path {folder / name};" for name in WRITES),
        }
        for theirs, ours in own.items():
            assert theirs in text
            text = text.replace(theirs, ours)
        return text


def _make_certificate(folder: Path) -> ssl.SSLContext:
    """Make a certificate for localhost that signs itself; gives what believes it."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain = folder / "fullchain.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return ssl.create_default_context(cafile=chain)
