"""The receiver of chaos: what a killed sender leaves half-said is neither counted nor forged."""

import socket
from urllib.parse import urlsplit

import pytest

from benchmarks.receiver import Receiver

MAIL = b"EHLO me\r\nDATA\r\nX-Timevalg-Effect: l-1\r\n\r\nhello\r\n"
EVENT = (
    b"POST /events HTTP/1.1\r\nhost: x\r\nwebhook-id: e-1\r\nwebhook-timestamp: 1\r\n"
    b"webhook-signature: v1,x\r\ncontent-length: 10\r\n\r\n12345"
)


def says(address, text):
    """Send it, end, and wait until the receiver has ended too."""
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass


@pytest.mark.parametrize("whole", [False, True])
def test_a_mail(whole):
    with Receiver() as receiver:
        says(urlsplit(receiver.smtp), MAIL + b".\r\n" * whole)
    assert receiver.mails == ({"l-1": 1} if whole else {})


@pytest.mark.parametrize("whole", [False, True])
def test_an_event_with_a_wrong_signature(whole):
    with Receiver() as receiver:
        says(urlsplit(receiver.url), EVENT + b"67890" * whole)
    assert receiver.forged == whole
    assert receiver.events == {}
