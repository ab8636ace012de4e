"""An S3 server for the tests: moto in a process of its own, on a free port of the loopback."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from content_sync.s3 import S3Delivery, S3Place
from tests.content_sync.media.samples import PROJECT
from tests.live import eventually
from tests.patience import PATIENCE

BUCKET = "media"
_PUBLIC = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": f"arn:aws:s3:::{BUCKET}/*",
        }
    ],
}
_SERVER = """
import logging, sys
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of a running S3 server; it ends with its standard input."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL, env=kept,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The S3 server with an empty bucket, and credentials where the AWS tools look for them."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-of-tests")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with httpx.Client(base_url=s3_server, timeout=PATIENCE) as client:
        assert eventually(lambda: client.post("/moto-api/reset").is_success)
        assert client.put(f"/{BUCKET}").is_success
        assert client.put(f"/{BUCKET}", params={"policy": ""}, json=_PUBLIC).is_success
    return s3_server


@pytest.fixture
def place(s3: str) -> S3Place:
    return S3Place(bucket=BUCKET, region="us-east-1", endpoint_url=s3)


@pytest.fixture
async def delivery(place: S3Place) -> AsyncIterator[S3Delivery]:
    async with S3Delivery(place, project=PROJECT) as opened:
        yield opened
