"""A server of S3 (moto) as a child process of whoever needs it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import httpx
import servers

os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")


@contextmanager
def s3() -> Iterator[str]:
    """Yields the address of a store in a new bucket with Object Lock. Any credentials will do: moto asks for some."""
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
    port = servers.free_port()
    endpoint = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        servers.until_up(lambda: httpx.get(endpoint, timeout=2), httpx.HTTPError)
        client_of(endpoint).create_bucket(Bucket="evidence", ObjectLockEnabledForBucket=True)
        yield f"s3://evidence/paris?endpoint={endpoint}"
    finally:
        server.terminate()
        server.wait(timeout=20)


def client_of(endpoint: str) -> Any:
    """What speaks to that server beside us, as its owner would."""
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
