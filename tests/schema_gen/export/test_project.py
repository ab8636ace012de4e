from pathlib import Path

import pytest

from schema_gen.export import read_export
from schema_gen.model import ContentModel, Language, Resolution
from tests.schema_gen.export.project import bean, beans, complete, language, languages, messages, write

EN = language("EN", "en_GB", master=True)
RESOLUTIONS = "Global/Project/Resolutions.xml"
PROJECT = "Global/Project/Project.xml"


def read(root: Path) -> tuple[ContentModel, list[str]]:
    reading = read_export(root)
    return reading.model, [message.partition(": Global/")[2] or message for message in messages(reading)]


def resolution(name: str | None, width: int, height: int, *tags: str) -> str:
    return bean("ResolutionDTO", m_name=name, m_width=width, m_height=height, _tags=tags)


def test_generated_languages_are_read_in_project_order(tmp_path: Path) -> None:
    languages(complete(tmp_path), language("DE", "de_DE"), language("FR", "fr_FR", generate=False), EN)
    model, found = read(tmp_path)
    assert model.languages == (Language("DE", "de", "DE"), Language("EN", "en", "GB", master=True))
    assert found == []


def test_languages_are_found_in_any_collection(tmp_path: Path) -> None:
    key = '<OBJECT class="java.lang.String">EN</OBJECT>'
    inner = f'<OBJECT class="java.util.HashMap">{key}{EN}</OBJECT>'
    write(
        complete(tmp_path),
        "Global/Project/Languages.xml",
        f'<OBJECT class="x.List"><FIELD name="l">{inner}</FIELD></OBJECT>',
    )
    assert read(tmp_path)[0].languages == (Language("EN", "en", "GB", master=True),)


@pytest.mark.parametrize(
    ("locale", "expected", "warning"),
    [
        ("de", ("de", ""), None),
        ("de_CH_1996", ("de", "CH"), "the variant of the locale 'de_CH_1996' is dropped"),
        ("zh_TW_#Hant", ("zh", "TW"), "the variant of the locale 'zh_TW_#Hant' is dropped"),
        (None, ("xx", ""), "has no locale; its abbreviation counts as one without a country"),
    ],
)
def test_locales_are_split(tmp_path: Path, locale: str | None, expected: tuple[str, str], warning: str | None) -> None:
    languages(complete(tmp_path), EN, language("XX", locale))
    model, found = read(tmp_path)
    assert (model.languages[1].language, model.languages[1].country) == expected
    assert [message for message in found if not warning or warning not in message] == []
    assert len(found) == (1 if warning else 0)


@pytest.mark.parametrize(
    ("items", "problem"),
    [
        ([language("A", "aa_AA"), language("B", "bb_BB")], "no generated language is the master"),
        (
            [language("A", "aa_AA", master=True), language("B", "bb_BB", master=True)],
            "several generated languages are the master",
        ),
        (
            [language("A", "aa_AA"), language("B", "bb_BB", master=True, generate=False)],
            "no generated language is the master",
        ),
    ],
    ids=["none", "two", "not_generated"],
)
def test_the_first_language_is_the_master_where_that_is_unclear(tmp_path: Path, items: list[str], problem: str) -> None:
    languages(complete(tmp_path), *items)
    model, found = read(tmp_path)
    assert [item.master for item in model.languages] == [True, False][: len(model.languages)]
    assert found == [f"Project/Languages.xml: {problem}; the first one counts: A"]


def test_of_several_masters_the_first_counts(tmp_path: Path) -> None:
    items = [language("A", "aa_AA"), language("B", "bb_BB", master=True), language("C", "cc_CC", master=True)]
    languages(complete(tmp_path), *items)
    assert [item.master for item in read(tmp_path)[0].languages] == [False, True, False]


def test_one_locale_for_two_generated_languages_is_an_error(tmp_path: Path) -> None:
    languages(complete(tmp_path), EN, "\n", language("UK", "en_GB"), language("OLD", "en_GB", generate=False))
    reading = read_export(tmp_path)
    assert [item.abbreviation for item in reading.model.languages] == ["EN"]
    (error,) = reading.errors
    assert (error.path, error.line) == ("Global/Project/Languages.xml", 2)
    assert error.message.startswith("the generated languages 'EN' and 'UK' have the same locale 'en_GB'")


def test_one_abbreviation_for_two_languages_is_an_error(tmp_path: Path) -> None:
    languages(complete(tmp_path), EN, language("EN", "en_US"), bean("LanguageDTO", locale="fr_FR", shouldGenerate=True))
    model, found = read(tmp_path)
    assert model.languages == (Language("EN", "en", "GB", master=True),)
    assert [message.partition("xml:1: ")[2] for message in found] == [
        "a language without an abbreviation; give it one and export again",
        "a second language 'EN'; remove one of the two",
    ]


def test_missing_languages_are_a_warning_that_names_the_abbreviations(tmp_path: Path) -> None:
    (complete(tmp_path) / "Global/Project/Languages.xml").unlink()
    write(tmp_path, "TemplateStore/FS_Info.txt", "ExportVersion: 3.2\nLanguage_EN: English\nLanguage_DE: Deutsch\n")
    model, found = read(tmp_path)
    assert model.languages == ()
    assert found == ["Project/Languages.xml: missing: the languages must be configured; the export names DE, EN"]


def test_no_generated_language_is_a_warning(tmp_path: Path) -> None:
    languages(complete(tmp_path), language("EN", "en_GB", master=True, generate=False))
    model, found = read(tmp_path)
    assert model.languages == ()
    assert found[0].startswith("Project/Languages.xml: no language is generated")


@pytest.mark.parametrize("name", ["Languages", "Resolutions", "Project"])
def test_broken_project_files_are_errors(tmp_path: Path, name: str) -> None:
    write(complete(tmp_path), f"Global/Project/{name}.xml", "<!DOCTYPE OBJECT>\n<OBJECT/>")
    reading = read_export(tmp_path)
    assert [(error.path, error.line) for error in reading.errors] == [(f"Global/Project/{name}.xml", 1)]
    assert reading.model.resolutions == (Resolution("ORIGINAL"),)


def test_missing_project_files_are_warnings(tmp_path: Path) -> None:
    for name in ("Resolutions", "Project"):
        (complete(tmp_path) / f"Global/Project/{name}.xml").unlink()
        (finding,) = read_export(tmp_path).findings
        assert (finding.severity, finding.path) == ("warning", f"Global/Project/{name}.xml")


def test_all_resolutions_are_listed_where_none_is_tagged(tmp_path: Path) -> None:
    items = [resolution("L", 1920, 1080, "SmartCropping"), resolution("ORIGINAL", 0, 0), resolution("S", -1, 270)]
    write(complete(tmp_path), RESOLUTIONS, beans(items))
    assert read(tmp_path)[0].resolutions == (
        Resolution("L", 1920, 1080),
        Resolution("ORIGINAL"),
        Resolution("S", 0, 270),
    )


def test_only_tagged_resolutions_are_listed_where_one_is(tmp_path: Path) -> None:
    items = [resolution("ORIGINAL", 0, 0), resolution("L", 2, 1), resolution("S", 1, 1, "x", " cAAs ")]
    write(complete(tmp_path), RESOLUTIONS, beans(items))
    assert read(tmp_path)[0].resolutions == (Resolution("ORIGINAL"), Resolution("S", 1, 1))


def test_the_original_is_always_listed(tmp_path: Path) -> None:
    items = [resolution("S", 1, 1), resolution("S", 2, 2), resolution(None, 3, 3)]
    write(complete(tmp_path), RESOLUTIONS, beans(items))
    model, found = read(tmp_path)
    assert model.resolutions == (Resolution("ORIGINAL"), Resolution("S", 1, 1))
    assert [message.partition("xml:1: ")[2] for message in found] == [
        "a resolution without a name; it was left out",
        "a second resolution 'S'; it was left out",
    ]


def test_the_metadata_template_is_found_by_either_number(tmp_path: Path) -> None:
    for number in ("550", "77"):
        write(complete(tmp_path), PROJECT, bean("ProjectDTO", m_name="Trails", m_metadataTemplateId=int(number)))
        write(
            tmp_path,
            "TemplateStore/PageTemplates/folder/story/StoreElement.xml",
            '<TEMPLATE filename="story" type="page" id="77" templateid="550"/>',
        )
        model, found = read(tmp_path)
        assert (model.metadata_template, model.project_name, found) == ("story", "Trails", [])


def test_a_metadata_template_that_is_not_there_is_a_warning(tmp_path: Path) -> None:
    write(complete(tmp_path), PROJECT, bean("ProjectDTO", m_metadataTemplateId=4711))
    model, found = read(tmp_path)
    assert model.metadata_template is None
    assert found[0].startswith("Project/Project.xml: the metadata template with the id 4711 is not in the export")


def test_a_project_that_says_nothing_is_fine(tmp_path: Path) -> None:
    write(complete(tmp_path), PROJECT, bean("ProjectDTO", m_name=None))
    model, found = read(tmp_path)
    assert (model.project_name, model.metadata_template, found) == ("", None, [])


@pytest.mark.parametrize(("path", "lost"), [(PROJECT, "no project in it"), (RESOLUTIONS, "no resolution in it")])
def test_xml_of_another_kind_is_a_warning(tmp_path: Path, path: str, lost: str) -> None:
    write(complete(tmp_path), path, "<CMS_MODULE/>")
    reading = read_export(tmp_path)
    assert [(finding.severity, finding.path) for finding in reading.findings] == [("warning", path)]
    assert lost in reading.findings[0].message


@pytest.mark.parametrize(
    ("name", "identifier", "expected"),
    [
        ("Trails", "5C6B7A1E-93f1-418a-9185-9ff8510b24f1", "5c6b7a1e-93f1-418a-9185-9ff8510b24f1"),
        ("_TARGET_PROJECT_", "5c6b7a1e-93f1-418a-9185-9ff8510b24f1", None),
        ("Trails", "b6091e7c-c8e7-3e9e-baa2-f81bbd473c36", None),
        ("Trails", "no uuid", None),
    ],
    ids=["real", "placeholder", "derived_from_the_name", "garbage"],
)
def test_the_projects_identifier_is_read_where_it_is_real(
    tmp_path: Path, name: str, identifier: str, expected: str | None
) -> None:
    content = f"[ProjectReferencesExporter-Project]\nname={name}\ntype=Project\ngid={identifier}\nclass=x.Project\n"
    write(complete(tmp_path), "Global/FS_GlobalReferences.txt", content)
    assert read(tmp_path)[0].project == expected
