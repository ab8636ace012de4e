from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema_gen.export import read_export
from schema_gen.model import FormField, TemplateRef
from tests.schema_gen.export.project import complete, messages, read_one, template, write

EVERY_COMPONENT = (
    '<CMS_INPUT_TEXT name="tt_name"/>',
    '<CMS_INPUT_TEXTAREA name="tt_intro" useLanguages="YES"/>',
    """<CMS_INPUT_DOM name="tt_story">
         <FORMATS><TEMPLATE name="p"/></FORMATS>
         <LINKEDITORS><LINKEDITOR name="trail_link"/></LINKEDITORS>
       </CMS_INPUT_DOM>""",
    '<CMS_INPUT_DOMTABLE name="tt_table" useLanguages="No"/>',
    """<CMS_GROUP tabs="top"><LANGINFOS><LANGINFO lang="*" label="Numbers"/></LANGINFOS><CMS_GROUP name="g_numbers">
         <CMS_INPUT_NUMBER name="tt_height" useLanguages="no"/>
         <CMS_INPUT_DATE name="tt_built" mode="date" useLanguages="no"/>
         <CMS_INPUT_TOGGLE name="tt_warm" useLanguages="no">
           <ON><LANGINFO lang="*" label="Heated"/></ON><OFF><LANGINFO lang="*" label="Cold"/></OFF>
         </CMS_INPUT_TOGGLE>
       </CMS_GROUP></CMS_GROUP>""",
    '<CMS_INPUT_COMBOBOX name="tt_kind"><ENTRIES><ENTRY value=""/><ENTRY value="hut"/></ENTRIES></CMS_INPUT_COMBOBOX>',
    '<CMS_INPUT_RADIOBUTTON name="tt_state"><ENTRIES><ENTRY value="open"/></ENTRIES></CMS_INPUT_RADIOBUTTON>',
    '<CMS_INPUT_CHECKBOX name="tt_months"><ENTRIES><ENTRY value="7"/></ENTRIES></CMS_INPUT_CHECKBOX>',
    '<CMS_INPUT_LIST name="tt_words"><ENTRIES><ENTRY value="lake"/></ENTRIES></CMS_INPUT_LIST>',
    '<CMS_INPUT_LINK name="tt_more"><TEMPLATES><TEMPLATE uid="trail_link"/></TEMPLATES></CMS_INPUT_LINK>',
    '<CMS_INPUT_IMAGEMAP name="tt_map"><LINKEDITORS><LINKEDITOR name="trail_link"/></LINKEDITORS></CMS_INPUT_IMAGEMAP>',
    '<CMS_INPUT_PERMISSION name="tt_rights" group="GroupFile"><ACTIVITY name="read"/></CMS_INPUT_PERMISSION>',
    '<FS_REFERENCE name="tt_picture" hidden="yes"><FILTER><ALLOW type="picture"/></FILTER></FS_REFERENCE>',
    '<FS_DATASET name="tt_valley"><SOURCES><CONTENT name="valleys"/></SOURCES></FS_DATASET>',
    '<FS_CATALOG name="tt_days"><TEMPLATES type="SECTION"><TEMPLATE uid="day"/></TEMPLATES></FS_CATALOG>',
    '<FS_INDEX name="tt_huts"><SOURCE name="DatasetDataAccessPlugin"><TEMPLATE uid="t.hut"/></SOURCE></FS_INDEX>',
    '<FS_INDEX name="tt_films"><SOURCE name="Films/FilmPlugin"/></FS_INDEX>',
    '<FS_BUTTON name="tt_check"><PARAMS><PARAM name="of">#field.tt_name</PARAM></PARAMS></FS_BUTTON>',
    '<CMS_LABEL name="tt_label"><LANGINFOS><LANGINFO lang="*" label="Ask the keeper"/></LANGINFOS></CMS_LABEL>',
    '<CMS_COMMENT>was: <CMS_INPUT_TEXT name="tt_old"/></CMS_COMMENT>',
    '<RULES><RULE name="tt_rule"/></RULES>',
    '<ACME_WEATHER name="tt_weather"/>',
)


@pytest.fixture
def everything(tmp_path: Path) -> dict[str, FormField]:
    read, found = read_one(tmp_path, *EVERY_COMPONENT)
    assert len(found) == 4  # three templates that are not there, one unknown component
    return {field.name: field for field in read.fields}


def test_every_component_becomes_a_field_in_form_order(everything: dict[str, FormField]) -> None:
    assert {name.removeprefix("tt_"): field.component for name, field in everything.items()} == {
        "name": "CMS_INPUT_TEXT",
        "intro": "CMS_INPUT_TEXTAREA",
        "story": "CMS_INPUT_DOM",
        "table": "CMS_INPUT_DOMTABLE",
        "height": "CMS_INPUT_NUMBER",
        "built": "CMS_INPUT_DATE",
        "warm": "CMS_INPUT_TOGGLE",
        "kind": "CMS_INPUT_COMBOBOX",
        "state": "CMS_INPUT_RADIOBUTTON",
        "months": "CMS_INPUT_CHECKBOX",
        "words": "CMS_INPUT_LIST",
        "more": "CMS_INPUT_LINK",
        "map": "CMS_INPUT_IMAGEMAP",
        "rights": "CMS_INPUT_PERMISSION",
        "picture": "FS_REFERENCE",
        "valley": "FS_DATASET",
        "days": "FS_CATALOG",
        "huts": "FS_INDEX",
        "films": "FS_INDEX",
        "check": "FS_BUTTON",
        "weather": "ACME_WEATHER",
    }
    assert list(everything)[4:7] == ["tt_height", "tt_built", "tt_warm"]


def test_templates_are_those_that_the_form_names(everything: dict[str, FormField]) -> None:
    link = (TemplateRef("link", "trail_link"),)
    assert {name: field.templates for name, field in everything.items() if field.templates} == {
        "tt_story": link,
        "tt_more": link,
        "tt_map": link,
        "tt_days": (TemplateRef("section", "day"),),
        "tt_huts": (TemplateRef("table", "t.hut"),),
    }


def test_plugins_are_those_of_indexes(everything: dict[str, FormField]) -> None:
    assert {name: field.plugin for name, field in everything.items() if field.plugin} == {
        "tt_huts": "DatasetDataAccessPlugin",
        "tt_films": "Films/FilmPlugin",
    }


def test_language_dependence_is_the_default_and_read_in_any_case(everything: dict[str, FormField]) -> None:
    independent = [name for name, field in everything.items() if not field.language_dependent]
    assert independent == ["tt_table", "tt_height", "tt_built", "tt_warm"]


def test_labels_of_entries_and_switches_are_not_the_fields_label(everything: dict[str, FormField]) -> None:
    assert {field.label for field in everything.values()} == {""}


@pytest.mark.parametrize(
    ("infos", "expected"),
    [
        ('<LANGINFO lang="DE" label="Titel"/><LANGINFO lang="*" label="Title" description="Big"/>', ("Title", "Big")),
        (
            '<LANGINFO lang="DE" label="Titel" description="Gross"/><LANGINFO lang="EN" label="Title"/>',
            ("Titel", "Gross"),
        ),
        ('<LANGINFO lang="*"/><LANGINFO lang="DE" label="Titel"/>', ("Titel", "")),
        ('<LANGINFO lang="*" description="Big"/>', ("", "Big")),
        ("", ("", "")),
    ],
)
def test_label_is_that_for_all_languages_else_the_first(tmp_path: Path, infos: str, expected: tuple[str, str]) -> None:
    read, _ = read_one(tmp_path, f'<CMS_INPUT_TEXT name="a"><LANGINFOS>{infos}</LANGINFOS></CMS_INPUT_TEXT>')
    assert (read.fields[0].label, read.fields[0].description) == expected


def test_a_second_field_of_one_name_is_an_error(tmp_path: Path) -> None:
    read, found = read_one(tmp_path, '<CMS_INPUT_TEXT name="a"/>', '<CMS_GROUP><FS_BUTTON name="a"/></CMS_GROUP>')
    assert [(field.name, field.component) for field in read.fields] == [("a", "CMS_INPUT_TEXT")]
    message = "a second field 'a' in one form; the first counts: rename or remove this one"
    assert found == [f"error: TemplateStore/SectionTemplates/folder/probe/GomSource.xml:3: {message}"]


@pytest.mark.parametrize(("name", "reason"), [("a.b", "'.' in it"), ("$a", "a leading '$'")])
def test_names_that_no_filter_reaches_are_warned_of(tmp_path: Path, name: str, reason: str) -> None:
    read, found = read_one(tmp_path, f'<CMS_INPUT_TEXT name="{name}"/>')
    assert read.fields[0].name == name
    assert f"the field name {name!r} has {reason}" in found[0]


def test_a_component_without_a_name_is_no_field(tmp_path: Path) -> None:
    read, found = read_one(tmp_path, "<CMS_INPUT_TEXT/>", '<CMS_INPUT_TEXT name=" "/>')
    assert read.fields == ()
    assert [message.rpartition(": ")[2] for message in found] == ["<CMS_INPUT_TEXT> has no name, so it is no field"] * 2


def test_an_unknown_component_is_reported_once_in_the_whole_export(tmp_path: Path) -> None:
    template(complete(tmp_path), "section", "other", '<ACME_MAP name="a"/>', '<ACME_MAP name="b"/>')
    read, found = read_one(tmp_path, '<ACME_MAP name="c"/>', '<CMS_INPUT_LINKLIST name="d"/>')
    assert [field.component for field in read.fields] == ["ACME_MAP", "CMS_INPUT_LINKLIST"]
    assert [message.partition("<")[2] for message in found] == [
        "ACME_MAP> is no component that is known here; it is served as plain JSON",
        "CMS_INPUT_LINKLIST> is deprecated and served as plain JSON; use <FS_CATALOG> for a typed value",
    ]


@pytest.mark.parametrize(
    ("templates", "expected"),
    [
        ("", []),
        ('<TEMPLATES type="section"/>', []),
        ('<TEMPLATES type="link"/>', ["link:one", "link:two"]),
        ('<TEMPLATES type="link"/><TEMPLATES type="section"/>', ["link:one", "link:two", "section:probe"]),
        ('<TEMPLATES type="section"><TEMPLATE uid="probe"/></TEMPLATES><TEMPLATES type="link"/>', None),
        ('<TEMPLATES type="link"><TEMPLATE uid="two"/><TEMPLATE uid="two"/></TEMPLATES>', ["link:two"]),
    ],
)
def test_catalogs_admit_what_their_types_say(tmp_path: Path, templates: str, expected: list[str] | None) -> None:
    template(tmp_path, "link", "two")
    template(tmp_path, "link", "one")
    read, _ = read_one(tmp_path, f'<FS_CATALOG name="a">{templates}</FS_CATALOG>')
    admitted = [f"{ref.kind}:{ref.uid}" for ref in read.fields[0].templates]
    assert admitted == (["section:probe", "link:one", "link:two"] if expected is None else expected)


def test_a_catalog_of_unknown_type_is_one_of_sections(tmp_path: Path) -> None:
    templates = '<TEMPLATES><TEMPLATE uid="probe"/></TEMPLATES>'
    read, found = read_one(tmp_path, f'<FS_CATALOG name="a">{templates}</FS_CATALOG>')
    assert read.fields[0].templates == (TemplateRef("section", "probe"),)
    assert "TEMPLATES of type '' in a catalog; read as 'section'" in found[0]


def test_an_index_without_a_source_is_warned_of(tmp_path: Path) -> None:
    read, found = read_one(tmp_path, '<FS_INDEX name="a"/>')
    assert read.fields[0].plugin is None
    assert "names no SOURCE" in found[0]


@pytest.mark.parametrize("content", ["", " \n", "\ufeff", "<CMS_MODULE/>", "\ufeff<CMS_MODULE/>"])
def test_an_empty_form_has_no_fields(tmp_path: Path, content: str) -> None:
    path = template(complete(tmp_path), "section", "probe")
    write(tmp_path, f"{path}/GomSource.xml", content)
    reading = read_export(tmp_path)
    assert [read.fields for read in reading.model.section_templates] == [()]
    assert reading.findings == ()


def test_a_form_with_another_root_is_left_out(tmp_path: Path) -> None:
    path = template(complete(tmp_path), "section", "probe")
    write(tmp_path, f"{path}/GomSource.xml", "<html/>")
    reading = read_export(tmp_path)
    assert reading.model.section_templates == ()
    assert "GomSource.xml:1: <html> is not the root of a form" in messages(reading)[0]


def test_groups_ten_thousand_deep_are_read(tmp_path: Path) -> None:
    depth = 10_000
    read, found = read_one(tmp_path, "<CMS_GROUP>" * depth + '<CMS_INPUT_TEXT name="deep"/>' + "</CMS_GROUP>" * depth)
    assert [field.name for field in read.fields] == ["deep"]
    assert found == []


FORM_LIKE = st.lists(
    st.sampled_from(
        [
            "<CMS_MODULE>",
            "</CMS_MODULE>",
            "<CMS_GROUP>",
            "</CMS_GROUP>",
            '<FS_CATALOG name="a">',
            "</FS_CATALOG>",
            '<TEMPLATES type="link">',
            '<TEMPLATE uid="x"/>',
            "</TEMPLATES>",
            '<FS_INDEX name="$b"><SOURCE/></FS_INDEX>',
            "<LANGINFOS><LANGINFO/></LANGINFOS>",
            '<X name="&#10;"/>',
            "text",
            "<!-- c -->",
        ]
    )
).map(lambda parts: "".join(parts).encode())


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = complete(tmp_path_factory.mktemp("export"))
    template(root, "section", "probe")
    return root


@settings(deadline=None)
@given(data=st.one_of(st.binary(), FORM_LIKE, FORM_LIKE.map(lambda inner: b"<CMS_MODULE>" + inner + b"</CMS_MODULE>")))
def test_any_bytes_in_a_form_never_raise(scratch: Path, data: bytes) -> None:
    write(scratch, "TemplateStore/SectionTemplates/folder/probe/GomSource.xml", data)
    reading = read_export(scratch)
    assert len(reading.model.section_templates) + len(reading.errors) >= 1
    assert [read.uid for read in reading.model.page_templates] == ["story"]
