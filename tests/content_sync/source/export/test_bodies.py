"""Bodies: order, hidden and shared sections, projections, and the routes that follow from them."""

from pathlib import Path
from typing import Any

import pytest

from content_sync.model import State
from tests.content_sync.source.exports import ExportWriter, gid_of, open_export, read_export

_QUOTE = 'sectiontemplate="t-section-quote"'


@pytest.fixture
def export(tmp_path: Path) -> ExportWriter:
    return ExportWriter(tmp_path).everything()


def _sections(export: ExportWriter, state: State = "preview") -> list[dict[str, Any]]:
    children: list[dict[str, Any]] = read_export(export.root, state=state)["PageRef/home.EN"]["page"]["children"]
    assert isinstance(children[0]["children"], list)
    return children[0]["children"]


def test_hidden_section_is_marked_in_preview_only(export: ExportWriter) -> None:
    export.section("home/main/second", f'<SECTION displayed="0" id="s2" name="second" {_QUOTE}/>')
    assert [(each["name"], each["displayed"]) for each in _sections(export)] == [("first", True), ("second", False)]
    assert [(each["name"], "displayed" in each) for each in _sections(export, "release")] == [("first", False)]


def test_hidden_shared_section_is_absent_from_release(export: ExportWriter) -> None:
    export.section("home/main/second", '<SECTIONREFERENCE displayed="0" id="s2" name="second" section="s-first"/>')
    assert [each["fsType"] for each in _sections(export)] == ["Section", "SectionReference"]
    assert [each["fsType"] for each in _sections(export, "release")] == ["Section"]


def test_shared_section_repeats_the_data(export: ExportWriter) -> None:
    export.section("home/main/hint", '<SECTIONREFERENCE id="s2" name="hint" section="s-first"/>')
    first, hint = _sections(export)
    assert hint["formData"] == first["formData"] != {}
    assert hint["identifier"] == gid_of("section", "home/main/hint") != first["identifier"]
    assert hint["displayed"] is True


def test_shared_section_without_source_is_skipped(export: ExportWriter) -> None:
    export.section("home/main/hint", '<SECTIONREFERENCE id="s2" name="hint" section="s-nowhere"/>')
    source = open_export(export.root)
    assert len(list(source.documents("preview"))) == 4
    assert [each.what for each in source.skipped()] == ["PageStore/home/main/hint/StoreElement.xml"]


def test_children_file_gives_the_order(export: ExportWriter) -> None:
    export.section("home/main/a", f'<SECTION id="s2" name="a" {_QUOTE}/>')
    export.section("home/main/z", f'<SECTION id="s3" name="z" {_QUOTE}/>')
    assert [each["name"] for each in _sections(export)] == ["a", "first", "z"]
    export.body("home", "main", children="z\nfirst\n")
    assert [each["name"] for each in _sections(export)] == ["z", "first", "a"]


def test_section_of_unknown_tag_is_known_by_its_template(export: ExportWriter) -> None:
    template = ("quote", gid_of("template", "section", "quote"), "TEMPLATESTORE", "templatestore.SectionTemplateImpl")
    export.section("home/main/odd", '<PARAGRAPH id="s2" name="odd"/>', required=[template])
    assert [each["name"] for each in _sections(export)] == ["first", "odd"]


def test_section_without_its_template_is_skipped(export: ExportWriter) -> None:
    export.section("home/main/odd", '<SECTION id="s2" name="odd" sectiontemplate="999"/>')
    source = open_export(export.root)
    assert len(list(source.documents("preview"))) == 4
    assert "section template" in source.skipped()[0].why


def test_body_that_the_template_lost_is_reported(export: ExportWriter) -> None:
    export.body("home", "former")
    source = open_export(export.root)
    home = list(source.documents("preview"))[-1]
    assert [body["name"] for body in home["page"]["children"]] == ["main", "aside"]
    assert "no body 'former'" in source.skipped()[0].why


def test_lifespan_is_written_as_dates(export: ExportWriter) -> None:
    xml = f'<SECTION id="s2" name="sale" start="2025-03-01T10:00:00+01:00" end="2025-04-01" {_QUOTE}/>'
    export.section("home/main/sale", xml)
    assert _sections(export)[1]["lifespan"] == {"start": "2025-03-01T09:00:00.000Z", "end": "2025-04-01T00:00:00.000Z"}


def test_gca_pages_have_bodies_of_their_own_kind(export: ExportWriter) -> None:
    path = "GlobalStore/GlobalContentArea/footer"
    export.element(
        path,
        '<GCAPAGE id="g1" name="footer" pagetemplate="t-page-story"><LANG displayname="Footer" language="EN"/>'
        "</GCAPAGE>",
        uid="footer", gid=gid_of("gca", "footer"), java="pagestore.PageImpl", uid_type="GLOBALSTORE",
        data={"DE": "<FIELD name='pt_title'><TEXT>Unten</TEXT></FIELD>"},
    )  # fmt: skip
    export.body(path, "main")
    export.section(f"{path}/main/links", f'<SECTION displayed="0" id="g2" name="links" {_QUOTE}/>')
    footer = read_export(export.root)["GCAPage/footer.DE"]
    assert footer["formData"]["pt_title"]["value"] == "Unten"
    assert footer["uidType"] == "GLOBALSTORE"
    assert footer["displayName"] == "Footer"
    assert [(each["fsType"], each["name"]) for each in footer["children"]] == [
        ("GCABody", "main"),
        ("GCABody", "aside"),
    ]
    assert footer["children"][0]["children"][0]["fsType"] == "GCASection"
    assert "page" not in footer
    assert "route" not in footer
    assert read_export(export.root, state="release")["GCAPage/footer.DE"]["children"][0]["children"] == []


def test_route_is_made_of_display_names(export: ExportWriter) -> None:
    export.folder("SiteStore/about", "SITENODE", "sitestore.PageRefFolderImpl", "About us / all")
    export.page_ref("team", "home", folder="about", name="The team")
    assert read_export(export.root)["PageRef/team.DE"]["route"] == "/About-us---all/The-team.html"


def test_page_without_its_template_keeps_what_is_known(export: ExportWriter) -> None:
    template = ("gone", gid_of("template", "gone"), "TEMPLATESTORE", "templatestore.PageTemplateImpl")
    export.page("home", template="gone", required=[template])
    source = open_export(export.root)
    home = list(source.documents("preview"))[-1]["page"]
    assert (home["template"]["uid"], home["template"]["identifier"]) == ("gone", gid_of("template", "gone"))
    assert home["formData"] == {}
    assert [body["name"] for body in home["children"]] == ["main"]
    assert "page template" in source.skipped()[0].why


class TestDatasets:
    @pytest.fixture
    def rows(self, export: ExportWriter) -> ExportWriter:
        export.template(
            "table", "shop.hut", '<CMS_INPUT_TEXT name="tt_name"/><CMS_INPUT_NUMBER name="tt_beds" useLanguages="no"/>'
        )
        export.element(
            f"Entities/shop/hut/{gid_of('hut')}", "<ENTITY/>",
            uid="7", gid=gid_of("hut"), java="contentstore.DatasetImpl",
            data={
                "": "<FIELD name='tt_beds'><FIG>42</FIG></FIELD>",
                "EN": "<FIELD name='tt_name'><TEXT>Red Wall</TEXT></FIELD>",
            },
        )  # fmt: skip
        return export

    def test_row_becomes_a_dataset(self, rows: ExportWriter) -> None:
        hut = read_export(rows.root)[f"Dataset/{gid_of('hut')}.EN"]
        assert (hut["schema"], hut["entityType"], hut["displayName"]) == ("shop", "hut", "Red Wall")
        assert hut["formData"]["tt_beds"]["value"] == 42
        assert (hut["route"], hut["routes"]) == ("", [])
        assert "uid" not in hut
        assert read_export(rows.root)[f"Dataset/{gid_of('hut')}.DE"]["formData"]["tt_name"]["value"] is None

    def test_projections_give_routes(self, rows: ExportWriter) -> None:
        inner = '<ORDER attribute="fs_id" ascending="0"/><FILTERPARAM name="open" value="1"/>'
        attributes = 'id="c1" name="huts" tabletemplate="t-table-shop.hut" recordcount="10" maxpages="2"'
        rows.section("home/main/huts", f"<CONTENT2SECTION {attributes}>{inner}</CONTENT2SECTION>")
        found = read_export(rows.root)
        projection = found["PageRef/home.EN"]["page"]["children"][0]["children"][1]
        assert projection["ordering"] == [{"attribute": "fs_id", "ascending": False}]
        assert (projection["filterParams"], projection["query"]) == ({"open": "1"}, None)
        assert (projection["recordCountPerPage"], projection["maxPageCount"]) == (10, 2)
        assert (projection["schema"], projection["entityType"]) == ("shop", "hut")
        assert "formData" not in projection
        routes = [{"pageRef": gid_of("page_ref", "home"), "route": "/Home/Red-Wall.html"}]
        assert found[f"Dataset/{gid_of('hut')}.EN"]["routes"] == routes
        assert found[f"Dataset/{gid_of('hut')}.EN"]["route"] == "/Home/Red-Wall.html"

    def test_rows_of_unknown_form_are_reported(self, rows: ExportWriter) -> None:
        rows.file("Entities/shop/hut/rows.csv", "1;2;3")
        source = open_export(rows.root)
        assert len(list(source.documents("preview"))) == 6
        assert [each.what for each in source.skipped()] == ["Entities/shop/hut/rows.csv"]
