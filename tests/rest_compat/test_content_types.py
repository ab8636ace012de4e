"""What kind of bytes a file has."""

import pytest

from fixtures import media
from rest_compat.content_types import detect, is_media_type, runs_in_browsers


@pytest.mark.parametrize(
    ("head", "filename", "part_type", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n", "a.txt", "", "image/png"),
        (b"\x89PNG\r\n\x1a\n", "a.txt", "application/octet-stream", "image/png"),
        (b"\x89PNG\r\n\x1a\n", "a.txt", "text/plain", "text/plain"),
        (b"\x89PNG\r\n\x1a\n", "a.txt", "no type", "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a", "", "image/jpeg"),
        (b"%PDF-1.7\n", "a", "", "application/pdf"),
        (b"%PDF-1.7\n", "a.pdf", "", "application/pdf"),
        (b"PK\3\4" + bytes(30), "a", "", "application/zip"),
        (b"PK\3\4" + bytes(30), "a.zip", "", "application/zip"),
        (
            b"PK\3\4" + bytes(30), "a.docx", "",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (b"<?xml version='1.0'?><svg/>", "a.svg", "", "image/svg+xml"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a", "", "image/svg+xml"),
        (b"<!DOCTYPE html><html>", "a", "", "text/html"),
        (b"BM1234", "a", "", "application/octet-stream"),
        (b"BEGIN:VCALENDAR", "a.ics", "", "text/calendar"),
        (b"plain", "a.css", "", "text/css"),
        (b"", "", "", "application/octet-stream"),
    ],
)  # fmt: skip
def test_detect(head: bytes, filename: str, part_type: str, expected: str) -> None:
    assert expected == detect(head=head, filename=filename, part_type=part_type)


def test_media_of_the_demo_are_what_their_documents_say() -> None:
    for file in media("demo"):
        assert file.mime_type == detect(head=file.path.read_bytes(), filename=file.path.name, part_type="")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image/png", True),
        ("text/plain; charset=utf-8", True),
        ('text/plain;charset="utf-8"; a=b', True),
        ("image/svg+xml", True),
        ("image", False),
        ("image/", False),
        ("image/png\r\nX: y", False),
        ("image/png ", False),
        ("text/plain; charset", False),
        ("ima ge/png", False),
        ("bild/üng", False),
    ],
)
def test_is_media_type(text: str, *, expected: bool) -> None:
    assert expected is is_media_type(text)


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("text/html", True),
        ("Text/HTML; charset=utf-8", True),
        ("image/svg+xml", True),
        ("application/atom+xml", True),
        ("multipart/x-mixed-replace", True),
        ("application/pdf", False),
        ("text/plain", False),
        ("image/png", False),
    ],
)
def test_runs_in_browsers(media_type: str, *, expected: bool) -> None:
    assert expected is runs_in_browsers(media_type)
