"""The export as a whole: states, languages, ids, revisions, and what odd or broken input costs."""

from pathlib import Path

import pytest

from content_sync.source import SourceError, open_source
from schema_gen.errors import NotAnExportError
from tests.content_sync.source.exports import BASE, PROJECT, TENANT, ExportWriter, gid_of, open_export, read_export

REFERENCE = Path("/work/shared/data/fcecom-reference-export")


@pytest.fixture
def export(tmp_path: Path) -> ExportWriter:
    return ExportWriter(tmp_path).everything()


def test_documents_come_per_language(export: ExportWriter) -> None:
    found = read_export(export.root)
    assert list(found) == ["Media/ridge.EN", "Media/ridge.DE", "PageRef/home.EN", "PageRef/home.DE"]
    home = found["PageRef/home.DE"]
    assert home["_id"] == f"{gid_of('page_ref', 'home')}.de_DE"
    assert home["locale"] == {"identifier": "DE", "country": "DE", "language": "de"}
    assert home["page"]["identifier"] == gid_of("page", "home")
    assert home["page"]["formData"]["pt_title"] == {"fsType": "CMS_INPUT_TEXT", "name": "pt_title", "value": "Hallo"}
    assert [body["name"] for body in home["page"]["children"]] == ["main", "aside"]
    assert home["page"]["children"][1]["children"] == []


def test_attributes_have_the_platforms_order(export: ExportWriter) -> None:
    home = read_export(export.root)["PageRef/home.EN"]
    assert list(home) == [
        "_id", "fsType", "name", "displayName", "identifier", "uid", "uidType", "metaFormData", "page", "route",
        "changeInfo", "locale",
    ]  # fmt: skip
    section = home["page"]["children"][0]["children"][0]
    assert list(section) == ["fsType", "name", "displayName", "identifier", "displayed", "template", "formData"]


def test_export_has_one_state(export: ExportWriter) -> None:
    source = open_source(export.root)
    assert source.states() == ("preview",)
    assert list(source.documents("release")) == []
    assert list(source.media("release")) == []


def test_project_without_release_gives_no_release(tmp_path: Path) -> None:
    root = ExportWriter(tmp_path).everything(use_release=False).root
    source = open_export(root, state="release")
    assert source.states() == ()
    assert list(source.documents("release")) == []
    assert [each.what for each in source.skipped()] == ["release"]
    assert open_export(root).states() == ("preview",)


def test_revision_changes_exactly_with_the_document(export: ExportWriter) -> None:
    first = read_export(export.root)
    assert read_export(export.root) == first
    export.page("home", data={"EN": "<FIELD name='pt_title'><TEXT>Hello!</TEXT></FIELD>"})
    second = read_export(export.root)
    changed = {name for name in first if first[name]["changeInfo"] != second[name]["changeInfo"]}
    assert changed == {"PageRef/home.EN"}
    assert all(0 < each["changeInfo"]["revision"] < 2**31 for each in second.values())


def test_revision_of_pictures_follows_the_resolutions(export: ExportWriter) -> None:
    export.settings(tags={"ORIGINAL": "", "S": "", "L": ""})
    first = read_export(export.root)
    export.settings(tags={"ORIGINAL": "", "S": "CaaS", "L": ""})
    second = read_export(export.root)
    changed = {name for name in first if first[name]["changeInfo"] != second[name]["changeInfo"]}
    assert changed == {"Media/ridge.EN", "Media/ridge.DE"}


@pytest.mark.parametrize("wanted", ["DE", "de_DE"])
def test_languages_can_be_chosen(export: ExportWriter, wanted: str) -> None:
    assert set(read_export(export.root, languages=[wanted])) == {"Media/ridge.DE", "PageRef/home.DE"}


def test_unknown_language_is_refused(export: ExportWriter) -> None:
    with pytest.raises(SourceError, match="no language 'FR'; it has EN, DE"):
        open_export(export.root, languages=["FR"])


def test_languages_must_be_known(export: ExportWriter) -> None:
    (export.root / "Global/Project/Languages.xml").unlink()
    with pytest.raises(SourceError, match="does not tell which languages"):
        open_export(export.root)
    found = read_export(export.root, languages=["DE=de_AT"])
    assert found["PageRef/home.DE"]["_id"].endswith(".de_AT")


def test_two_languages_of_one_locale_are_refused(export: ExportWriter) -> None:
    with pytest.raises(SourceError, match="same locale"):
        open_export(export.root, languages=["DE", "AT=de_DE"])


def test_no_templates_no_export(tmp_path: Path) -> None:
    writer = ExportWriter(tmp_path)
    writer.settings()
    with pytest.raises(NotAnExportError):
        open_export(tmp_path)


def test_broken_xml_costs_its_element_only(export: ExportWriter) -> None:
    export.page_ref("second", "second")
    export.page("second")
    export.file("PageStore/second/data.EN.xml", "<FIELDS>\n<FIELD name='pt_title'>\n</FIELDS>")
    source = open_export(export.root)
    assert len(list(source.documents("preview"))) == 4
    assert [each.what for each in source.skipped()] == ["PageStore/second/data.EN.xml:3"]


def test_doctype_is_refused(export: ExportWriter) -> None:
    head = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    body = '<FIELDS><FIELD name="pt_title"><TEXT>&b;</TEXT></FIELD></FIELDS>'
    export.file("PageStore/home/data.EN.xml", head + body)
    source = open_export(export.root)
    assert {each["fsType"] for each in source.documents("preview")} == {"Media"}
    assert "DOCTYPE" in source.skipped()[0].why


def test_external_entities_are_refused(export: ExportWriter) -> None:
    export.file("secret.txt", "secret")
    export.file(
        "PageStore/home/StoreElement.xml",
        f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{export.root}/secret.txt">]><PAGE id="p-home" name="&e;"/>',
    )
    source = open_export(export.root)
    assert "secret" not in str(list(source.documents("preview")))
    assert source.skipped()


def test_element_without_gid_is_skipped(export: ExportWriter) -> None:
    export.page_ref("lost", "home")
    (export.root / "SiteStore/lost/FS_References.txt").unlink()
    source = open_export(export.root)
    assert len(list(source.documents("preview"))) == 4
    assert [each.what for each in source.skipped()] == ["SiteStore/lost/StoreElement.xml"]


def test_unknown_elements_are_reported_once_per_tag(export: ExportWriter) -> None:
    for name in ("one", "two"):
        export.file(f"SiteStore/{name}/StoreElement.xml", f'<DOCUMENTGROUP name="{name}"/>')
    source = open_export(export.root)
    assert len(list(source.documents("preview"))) == 4
    assert [each.what for each in source.skipped()] == ["SiteStore/one/StoreElement.xml"]


def test_second_element_of_a_uid_is_reported(export: ExportWriter) -> None:
    export.page_ref("home", "home", folder="other")
    source = open_export(export.root)
    assert len(list(source.documents("preview"))) == 4
    assert "SiteStore/home has already" in source.skipped()[0].why


def test_broken_folder_costs_its_name_only(export: ExportWriter) -> None:
    export.file("MediaStore/photos/StoreElement.xml", "<MEDIANODE")
    source = open_export(export.root)
    assert len(list(source.documents("preview"))) == 4
    assert [file.path for file in source.media("preview")] == ["photos/ridge.png"]
    assert [each.what for each in source.skipped()] == ["MediaStore/photos/StoreElement.xml:1"]


def test_links_to_directories_are_reported(export: ExportWriter) -> None:
    (export.root / "PageStore/linked").symlink_to(export.root / "PageStore/home")
    source = open_export(export.root)
    assert len(list(source.documents("preview"))) == 4
    assert [each.what for each in source.skipped()] == ["PageStore/linked"]


def test_reading_twice_reports_once(export: ExportWriter) -> None:
    export.page_ref("orphan", "nowhere")
    source = open_export(export.root)
    assert len(list(source.documents("preview"))) == len(list(source.documents("preview"))) == 4
    assert len(source.skipped()) == 1


def test_element_that_vanishes_while_reading_is_skipped(export: ExportWriter) -> None:
    source = open_export(export.root)
    documents = source.documents("preview")
    next(documents)
    (export.root / "PageStore/home/StoreElement.xml").unlink()
    (export.root / "PageStore/home/FS_References.txt").unlink()
    assert {each["fsType"] for each in documents} <= {"Media", "PageRef"}


def test_old_export_format_is_read(export: ExportWriter) -> None:
    for place in list(export.root.rglob("FS_References.txt")):
        target = place.parent / ".FirstSpirit/References.txt"
        target.parent.mkdir()
        place.rename(target)
    assert len(read_export(export.root)) == 4


def test_export_below_the_given_directory_is_found(tmp_path: Path) -> None:
    ExportWriter(tmp_path / "reference-project-export").everything()
    (tmp_path / "README.md").write_text("about")
    assert len(read_export(tmp_path)) == 4


@pytest.mark.skipif(not REFERENCE.exists(), reason="the shared real export is not here")
def test_real_export_gives_its_project_settings() -> None:
    source = open_source(REFERENCE, base=BASE, tenant=TENANT, project=PROJECT)
    documents = {each["_id"]: each for each in source.documents("preview")}
    assert documents.keys() == {"projectsettings.en_GB", "projectsettings.de_DE"}
    german = documents["projectsettings.de_DE"]
    assert german["template"]["uid"] == "project_settings"
    assert german["identifier"] == "1775ac7c-39e0-49fd-8285-5e7ac76fd717"
    assert german["projectConfiguration"] == {"masterLocale": "en_GB"}
    assert list(german["formData"]) == sorted(german["formData"])
    assert german["formData"]["ps_theme_primary"]["value"] == "#D5DD03"
    logo = german["formData"]["ps_logo"]["value"]
    assert logo["identifier"] == "74fe3e66-0408-4aa8-8bd1-6f7ea3e2858f"
    assert logo["url"] == f"{BASE}/{TENANT}/{PROJECT}.preview.content/{logo['identifier']}.de_DE"
    assert source.skipped() == ()
    assert len(source.resolutions()) == 13
    assert list(source.media("preview")) == []
