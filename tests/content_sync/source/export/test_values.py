"""What each input component makes of its value, and what becomes of values that nobody knows."""

from pathlib import Path
from typing import Any

import pytest

from tests.content_sync.source.exports import BASE, PROJECT, TENANT, ExportWriter, gid_of, open_export

_ENTRIES = (
    '<ENTRIES><ENTRY value=""><LANGINFOS><LANGINFO lang="*" label="None"/></LANGINFOS></ENTRY>'
    '<ENTRY value="left"><LANGINFOS><LANGINFO lang="*" label="Left"/><LANGINFO lang="DE" label="Links"/></LANGINFOS>'
    "</ENTRY></ENTRIES>"
)
_MEDIA_URL = f"{BASE}/{TENANT}/{PROJECT}.preview.content/{gid_of('medium', 'ridge')}.en_GB"
_RIDGE = {
    "fsType": "Media", "name": "ridge", "identifier": gid_of("medium", "ridge"), "uid": "ridge",
    "uidType": "MEDIASTORE_LEAF", "mediaType": "PICTURE", "url": _MEDIA_URL,
}  # fmt: skip
_HUT = {
    "fsType": "DatasetReference",
    "target": {"fsType": "Dataset", "schema": "shop", "entityType": "hut", "identifier": gid_of("hut")},
}
_HUT_XML = "<RECORD><FIELDS>" + "".join(
    f"<FIELD name='{name}'><TEXT>{value}</TEXT></FIELD>"
    for name, value in {"schema": "shop", "table": "hut", "gid": gid_of("hut")}.items()
) + "</FIELDS></RECORD>"  # fmt: skip


@pytest.fixture
def export(tmp_path: Path) -> ExportWriter:
    return ExportWriter(tmp_path).everything()


def _entry(export: ExportWriter, component: str, xml: str, *, inner: str = "", language: str = "EN") -> dict[str, Any]:
    """The entry of one field with a value."""
    form = f'<CMS_GROUP><{component} name="pt_x" useLanguages="no">{inner}</{component}></CMS_GROUP>'
    export.template("page", "story", form, bodies=("main", "aside"))
    export.page("home", data={"": f"<FIELD name='pt_x'>{xml}</FIELD>" if xml else ""})
    source = open_export(export.root, languages=[language])
    entry: dict[str, Any] = list(source.documents("preview"))[-1]["page"]["formData"]["pt_x"]
    assert (entry["fsType"], entry["name"]) == (component, "pt_x")
    return entry


def _value(export: ExportWriter, component: str, xml: str, *, inner: str = "", language: str = "EN") -> Any:
    return _entry(export, component, xml, inner=inner, language=language)["value"]


@pytest.mark.parametrize(
    ("component", "xml", "expected"),
    [
        ("CMS_INPUT_TEXT", "<TEXT> two  blanks </TEXT>", " two  blanks "),
        ("CMS_INPUT_TEXT", "<TEXT>a &lt;b&gt; c</TEXT>", "a <b> c"),
        ("CMS_INPUT_TEXT", "<TEXT/>", ""),
        ("CMS_INPUT_TEXTAREA", "<TEXT>one\ntwo</TEXT>", "one\ntwo"),
        ("CMS_INPUT_NUMBER", "<FIG>4</FIG>", 4),
        ("CMS_INPUT_NUMBER", "<FIG>-12.5</FIG>", -12.5),
        ("CMS_INPUT_NUMBER", "<TEXT>7</TEXT>", 7),
        ("CMS_INPUT_NUMBER", "<FIG>123456789012345678901234567890</FIG>", 1.2345678901234568e29),
        ("CMS_INPUT_TOGGLE", "<BOOL>true</BOOL>", True),
        ("CMS_INPUT_TOGGLE", "<TEXT>0</TEXT>", False),
        ("CMS_INPUT_DATE", "<DATE>2024-05-28</DATE>", "2024-05-28T00:00:00.000Z"),
        ("CMS_INPUT_DATE", "<DATE>2024-05-28T10:30:00+02:00</DATE>", "2024-05-28T08:30:00.000Z"),
        ("CMS_INPUT_DATE", "<DATE>1716854400000</DATE>", "2024-05-28T00:00:00.000Z"),
        ("CMS_INPUT_DOM", "<DOM><![CDATA[<p>A <b>long</b> way.</p>]]></DOM>", "<p>A <b>long</b> way.</p>"),
        ("CMS_INPUT_DOM", "<DOM><p>A <b>long</b> way.</p>!</DOM>", "<p>A <b>long</b> way.</p>!"),
        ("CMS_INPUT_DOMTABLE", "<DOM><![CDATA[<table/>]]></DOM>", "<table/>"),
        ("FS_BUTTON", "", {}),
        ("FS_DATASET", f"<RECORDS>{_HUT_XML}</RECORDS>", _HUT),
        ("FS_DATASET", "<RECORDS/>", None),
        ("ACME_PICKER", '<JSON>{"a": [1]}</JSON>', {"a": [1]}),
        ("ACME_PICKER", "<TEXT>red</TEXT>", "red"),
        ("ACME_PICKER", "<FIG>3</FIG>", 3),
        ("ACME_PICKER", "<SEL><VALUE>a</VALUE><VALUE>b</VALUE></SEL>", ["a", "b"]),
        ("CMS_INPUT_PERMISSION",
         "<PERMISSIONS><ACTIVITY name='read'><ALLOWED name='Members' path='/web/members'/></ACTIVITY></PERMISSIONS>",
         [{"activity": "read", "allowed": [{"groupName": "Members", "groupPath": "/web/members"}], "forbidden": []}]),
    ],
)  # fmt: skip
def test_component_has_its_json(export: ExportWriter, component: str, xml: str, expected: Any) -> None:
    assert _value(export, component, xml) == expected
    assert type(_value(export, component, xml)) is type(expected)


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        ("CMS_INPUT_TEXT", None), ("CMS_INPUT_NUMBER", None), ("CMS_INPUT_TOGGLE", None), ("CMS_INPUT_DATE", None),
        ("CMS_INPUT_DOM", None), ("CMS_INPUT_COMBOBOX", None), ("CMS_INPUT_CHECKBOX", []), ("CMS_INPUT_LIST", []),
        ("CMS_INPUT_LINK", None), ("CMS_INPUT_PERMISSION", []), ("FS_REFERENCE", None), ("FS_DATASET", None),
        ("FS_CATALOG", []), ("FS_INDEX", []), ("FS_BUTTON", {}), ("ACME_PICKER", None),
        ("CMS_INPUT_IMAGEMAP",
         {"fsType": "MappingMedium", "areas": [], "media": None,
          "resolution": {"fsType": "Resolution", "uid": "ORIGINAL", "width": 0, "height": 0}}),
    ],
)  # fmt: skip
def test_empty_field_is_present(export: ExportWriter, component: str, expected: Any) -> None:
    assert _value(export, component, "") == expected


@pytest.mark.parametrize(("language", "label"), [("EN", "Left"), ("DE", "Links")])
def test_option_has_the_label_of_the_language(export: ExportWriter, language: str, label: str) -> None:
    option = {"fsType": "Option", "label": label, "identifier": "left"}
    xml = "<SEL><VALUE>left</VALUE></SEL>"
    assert _value(export, "CMS_INPUT_RADIOBUTTON", xml, inner=_ENTRIES, language=language) == option
    assert _value(export, "CMS_INPUT_CHECKBOX", xml, inner=_ENTRIES, language=language) == [option]


def test_empty_choice_counts_where_the_form_offers_it(export: ExportWriter) -> None:
    xml = "<SEL><VALUE/></SEL>"
    offered = {"fsType": "Option", "label": "None", "identifier": ""}
    assert _value(export, "CMS_INPUT_COMBOBOX", xml, inner=_ENTRIES) == offered
    assert _value(export, "CMS_INPUT_COMBOBOX", xml) is None


def test_option_outside_of_the_entries_is_its_own_label(export: ExportWriter) -> None:
    option = {"fsType": "Option", "label": "free", "identifier": "free"}
    assert _value(export, "CMS_INPUT_COMBOBOX", "<SEL><VALUE>free</VALUE></SEL>", inner=_ENTRIES) == option


def test_reference_takes_what_the_store_knows(export: ExportWriter) -> None:
    xml = "<UID>ridge</UID><UIDTYPE>MEDIASTORE_LEAF</UIDTYPE><REMOTE/>"
    assert _value(export, "FS_REFERENCE", xml) == _RIDGE


def test_reference_to_what_was_not_exported_has_its_gid(export: ExportWriter) -> None:
    gid = gid_of("elsewhere")
    export.template("page", "story", '<FS_REFERENCE name="pt_x" useLanguages="no"/>')
    export.page(
        "home",
        data={"": "<FIELD name='pt_x'><UID>far</UID><UIDTYPE>SITESTORE_LEAF</UIDTYPE><REMOTE/></FIELD>"},
        optional=[("far", gid, "SITESTORE_LEAF", "sitestore.PageRefImpl"), ("far", gid_of("no"), "X", "x.OtherImpl")],
    )
    value = list(open_export(export.root).documents("preview"))[-2]["page"]["formData"]["pt_x"]["value"]
    assert value["identifier"] == gid
    assert value["url"].endswith(f"{PROJECT}.preview.content/{gid}.en_GB")
    assert "mediaType" not in value


def test_reference_to_nothing_is_broken(export: ExportWriter) -> None:
    value = _value(export, "FS_REFERENCE", "<UID>gone</UID><UIDTYPE>MEDIASTORE_LEAF</UIDTYPE><REMOTE/>")
    assert (value["uid"], value["identifier"], value["url"]) == ("gone", None, "")


def test_remote_reference_names_its_project(export: ExportWriter) -> None:
    value = _value(export, "FS_REFERENCE", "<UID>ridge</UID><UIDTYPE>MEDIASTORE_LEAF</UIDTYPE><REMOTE>shop</REMOTE>")
    assert (value["remoteProject"], value["url"]) == ("shop", "")


def test_reference_addresses_a_section(export: ExportWriter) -> None:
    xml = "<UID>home</UID><UIDTYPE>SITESTORE_LEAF</UIDTYPE><REMOTE/><SECTION>first</SECTION>"
    section = _value(export, "FS_REFERENCE", xml)["section"]
    assert section == {"name": "first", "displayName": "quote EN", "identifier": gid_of("section", "home/main/first")}


def test_cards_have_template_and_form(export: ExportWriter) -> None:
    card = gid_of("card")
    xml = (
        f'<CATALOG><CARD id="{card}" template="quote" type="TEMPLATESTORE"><TEMPLATECONTENT><CMS_VALUE name="st_text">'
        '<LANG id="*" set="0"/><LANG id="EN" set="1"><TEXT>Hi</TEXT></LANG></CMS_VALUE></TEMPLATECONTENT>'
        "</CARD></CATALOG>"
    )
    english = _value(export, "FS_CATALOG", xml)[0]
    assert (english["fsType"], english["identifier"], english["uuid"]) == ("Card", card, card)
    assert english["template"]["fsType"] == "SectionTemplate"
    assert english["formData"]["st_text"]["value"] == "Hi"
    assert _value(export, "FS_CATALOG", xml, language="DE")[0]["formData"]["st_text"]["value"] is None


@pytest.mark.parametrize("shown", ["\u00a7", "*"])
def test_card_field_for_all_languages(export: ExportWriter, shown: str) -> None:
    xml = (
        '<CATALOG><CARD id="c" template="quote" type="TEMPLATESTORE"><TEMPLATECONTENT><CMS_VALUE name="st_text">'
        f'<LANG id="{shown}" set="1"><TEXT>All</TEXT></LANG></CMS_VALUE></TEMPLATECONTENT></CARD></CATALOG>'
    )
    assert _value(export, "FS_CATALOG", xml, language="DE")[0]["formData"]["st_text"]["value"] == "All"


def test_card_of_a_missing_template_is_reported(export: ExportWriter) -> None:
    xml = '<CATALOG><CARD id="c" template="gone" type="TEMPLATESTORE"/></CATALOG>'
    card = _value(export, "FS_CATALOG", xml)[0]
    assert (card["template"]["uid"], card["formData"]) == ("gone", {})


def test_links_nest(export: ExportWriter) -> None:
    export.template("link", "jump", '<CMS_INPUT_TEXT name="lt_text"/><CMS_INPUT_LINK name="lt_next"/>')
    inner = '<LINK template="jump"><FIELDS><FIELD name="lt_text"><TEXT>inner</TEXT></FIELD></FIELDS></LINK>'
    xml = (
        '<LINK template="jump"><FIELDS><FIELD name="lt_text"><LANG id="EN" set="1"><TEXT>outer</TEXT></LANG></FIELD>'
        f'<FIELD name="lt_next">{inner}</FIELD></FIELDS></LINK>'
    )
    link = _value(export, "CMS_INPUT_LINK", xml)
    assert list(link) == ["template", "formData", "metaFormData"]
    assert (link["template"]["name"], link["template"]["displayName"]) == ("jump", "jump EN")
    assert link["formData"]["lt_text"]["value"] == "outer"
    assert link["formData"]["lt_next"]["value"]["formData"]["lt_text"]["value"] == "inner"


def test_index_has_records_and_plugin(export: ExportWriter) -> None:
    source = '<SOURCE name="DatasetDataAccessPlugin"/>'
    entry = _entry(export, "FS_INDEX", f"<RECORDS>{_HUT_XML}</RECORDS>", inner=source)
    assert list(entry) == ["fsType", "name", "dapType", "value"]
    assert entry["dapType"] == "DatasetDataAccessPlugin"
    key = f'{{"schema":"shop","gid":"{gid_of("hut")}","table":"hut"}}'
    assert entry["value"] == [{"fsType": "Record", "identifier": key, "value": _HUT}]


def test_foreign_records_have_identifiers_only(export: ExportWriter) -> None:
    source = '<SOURCE name="VideoBox/Plugin"/>'
    value = _value(export, "FS_INDEX", '<RECORDS><RECORD id="vb-1"/></RECORDS>', inner=source)
    assert value == [{"fsType": "Record", "identifier": "vb-1"}]


def test_image_map_has_areas_and_its_picture(export: ExportWriter) -> None:
    xml = (
        "<IMAGEMAP><MEDIA><UID>ridge</UID><UIDTYPE>MEDIASTORE_LEAF</UIDTYPE></MEDIA><RESOLUTION>ORIGINAL</RESOLUTION>"
        '<AREA type="rect" points="10,20 90,60"/><AREA type="circle" points="300,120" radius="25"/>'
        '<AREA type="poly" points="1,1 9,1 5,8"/></IMAGEMAP>'
    )
    value = _value(export, "CMS_INPUT_IMAGEMAP", xml)
    assert value["media"] == {
        **{name: _RIDGE[name] for name in ("fsType", "name")},
        "displayName": "ridge",
        **{name: _RIDGE[name] for name in ("identifier", "uid", "uidType", "mediaType", "url")},
        "pictureMetaData": {"fileSize": 15, "extension": "png", "mimeType": "image/png", "width": 40, "height": 30},
    }
    assert [area["areaType"] for area in value["areas"]] == ["rect", "circle", "poly"]
    assert value["areas"][0] == {
        "fsType": "Area", "areaType": "rect", "leftTop": {"x": 10, "y": 20}, "link": None,
        "rightBottom": {"x": 90, "y": 60},
    }  # fmt: skip
    assert (value["areas"][1]["center"], value["areas"][1]["radius"]) == ({"x": 300, "y": 120}, 25)


def test_links_in_rich_text_get_addresses(export: ExportWriter) -> None:
    form = (
        '{"lt_x":{"fsType":"FS_REFERENCE","name":"lt_x","value":{"fsType":"Media","uid":"ridge","uidType":'
        f'"MEDIASTORE_LEAF","identifier":"{gid_of("medium", "ridge")}","url":""}},"html":"<\\/p>"}}}}'
    )
    text = f'<p>&amp; <div data-fs-type="link.jump"><script type="application/json">{form}</script><a>x</a></div></p>'
    value = _value(export, "CMS_INPUT_DOM", f"<DOM><![CDATA[{text}]]></DOM>")
    assert value == text.replace('"url":""', f'"url":"{_MEDIA_URL}"')


def test_rich_text_that_is_no_xml_stays_as_it_is(export: ExportWriter) -> None:
    text = '<p>a<br>b&nbsp;<script type="application/json">{"broken</script>'
    assert _value(export, "CMS_INPUT_DOM", f"<DOM><![CDATA[{text}]]></DOM>") == text


@pytest.mark.parametrize(
    ("component", "expected"),
    [("CMS_INPUT_TEXT", '<ODD a="1">x</ODD>'), ("ACME_PICKER", '<ODD a="1">x</ODD>'), ("CMS_INPUT_NUMBER", None),
     ("FS_REFERENCE", None), ("FS_CATALOG", [])],
)  # fmt: skip
def test_unknown_value_is_reported_and_fits_its_type(export: ExportWriter, component: str, expected: Any) -> None:
    assert _value(export, component, '<ODD a="1">x</ODD>') == expected
    source = open_export(export.root)
    list(source.documents("preview"))
    (skipped,) = source.skipped()
    assert "<ODD>" in skipped.why
    assert "pt_x" in skipped.why


def test_deep_nesting_ends(export: ExportWriter) -> None:
    export.template("link", "jump", '<CMS_INPUT_LINK name="lt_next"/>')
    xml = "<TEXT/>"
    for _ in range(100):
        xml = f'<LINK template="jump"><FIELDS><FIELD name="lt_next">{xml}</FIELD></FIELDS></LINK>'
    assert _value(export, "CMS_INPUT_LINK", xml) is not None


def test_fields_of_the_form_only_sorted_by_name(export: ExportWriter) -> None:
    form = '<CMS_INPUT_TEXT name="b"/><CMS_COMMENT><CMS_INPUT_TEXT name="c"/></CMS_COMMENT><CMS_INPUT_TEXT name="a"/>'
    export.template("page", "story", form)
    export.page("home", data={"": "<FIELD name='gone'><TEXT>x</TEXT></FIELD><FIELD name='a'><TEXT>y</TEXT></FIELD>"})
    form_data = list(open_export(export.root).documents("preview"))[-2]["page"]["formData"]
    assert list(form_data) == ["a", "b"]
    assert form_data["a"]["value"] == "y"
