import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema_gen.export.findings import BrokenFileError
from schema_gen.export.markup import XmlElement, parse_xml

BILLION_LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [
 <!ENTITY lol "lol">
 <!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
]>
<CMS_MODULE>&lol2;</CMS_MODULE>"""


def parse(data: bytes, *, max_elements: int = 1000) -> XmlElement:
    return parse_xml(data, path="a/GomSource.xml", max_elements=max_elements)


def refused(data: bytes, *, max_elements: int = 1000) -> tuple[str, int | None]:
    with pytest.raises(BrokenFileError) as caught:
        parse(data, max_elements=max_elements)
    assert caught.value.path == "a/GomSource.xml"
    return caught.value.message, caught.value.line


def test_elements_keep_order_attributes_text_and_lines() -> None:
    root = parse(b"<a>\n  <b x='1' y=\" 2 \"/>\n  te<!-- no -->xt\n  <c/><b/>\n</a>")
    assert [(child.tag, child.line) for child in root.children] == [("b", 2), ("c", 4), ("b", 4)]
    assert root.children[0].attributes == {"x": "1", "y": " 2 "}
    assert root.text.split() == ["text"]


def test_get_gives_the_first_attribute_that_is_not_blank() -> None:
    element = parse(b"<a x=' ' y=' two ' z='three'/>")
    assert (element.get("w", "x", "y", "z"), element.get("w")) == ("two", "")


def test_below_finds_grandchildren_by_both_tags() -> None:
    root = parse(b"<f><L><E n='1'/><X/></L><E n='no'/><L><E n='2'/></L></f>")
    assert [element.get("n") for element in root.below("L", "E")] == ["1", "2"]


@pytest.mark.parametrize(
    "data",
    [
        "<a name='grün'/>".encode(),
        b"\xef\xbb\xbf" + "<a name='grün'/>".encode(),
        "<a name='grün'/>".encode("utf-16"),
        "<?xml version='1.0' encoding='ISO-8859-1'?><a name='grün'/>".encode("latin-1"),
        "<?xml version='1.0' encoding='windows-1252'?><a name='grün'/>".encode("cp1252"),
    ],
    ids=["utf8", "bom", "utf16", "latin1", "cp1252"],
)
def test_encodings_that_the_file_declares_are_read(data: bytes) -> None:
    assert parse(data).get("name") == "grün"


@pytest.mark.parametrize(
    ("data", "message", "line"),
    [
        (b"", "malformed XML: no element found", 1),
        (b"<a>\n<b>\n</a>", "malformed XML: mismatched tag", 3),
        (b"<a>\n&undefined;</a>", "malformed XML: undefined entity", 2),
        (b"<a/>\n<b/>", "malformed XML: junk after document element", 2),
        (b"<a name='gr\xfcn'/>", "malformed XML: not well-formed", 1),
        (b"\x00\x01\x02\xff\xfe\x89PNG", "malformed XML:", 1),
        (b"<a><p:b/></a>", "malformed XML: unbound prefix", 1),
        (b"<?xml version='1.0' encoding='klingon'?><a/>", "XML in an unknown encoding", 1),
        (b"<?xml version='1.0' encoding='shift_jis'?><a/>", "XML in an unknown encoding", 1),
    ],
)
def test_malformed_xml_is_refused_with_its_line(data: bytes, message: str, line: int) -> None:
    text, where = refused(data)
    assert text.startswith(message)
    assert where == line


@pytest.mark.parametrize(
    "doctype",
    [
        b"<!DOCTYPE a>",
        b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'>",
        b"<!DOCTYPE a PUBLIC 'x' 'http://localhost/x.dtd'>",
        b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>",
    ],
)
def test_any_doctype_is_refused(doctype: bytes) -> None:
    message, line = refused(b"<?xml version='1.0'?>\n" + doctype + b"\n<a/>")
    assert message.startswith("a DOCTYPE is refused")
    assert line == 2


def test_entity_expansion_is_refused_before_it_begins() -> None:
    assert refused(BILLION_LAUGHS)[0].startswith("a DOCTYPE is refused")


def test_more_elements_than_the_limit_are_refused() -> None:
    assert len(parse(b"<a>\n<b/>\n<b/>\n</a>", max_elements=3).children) == 2
    message, line = refused(b"<a>\n<b/>\n<b/>\n</a>", max_elements=2)
    assert (message[:20], line) == ("more than 2 elements", 3)


def test_deep_nesting_is_read_and_released() -> None:
    depth = 100_000
    element = parse(b"<g>" * depth + b"</g>" * depth, max_elements=depth)
    for _ in range(depth - 1):
        (element,) = element.children
    assert element.children == []


@given(st.one_of(st.binary(), st.text().map(lambda text: f"<a>{text}</a>".encode("utf-8", "replace"))))
def test_any_bytes_give_a_tree_or_a_refusal(data: bytes) -> None:
    try:
        outcome = parse(data).tag
    except BrokenFileError as problem:
        outcome = problem.message
    assert outcome
