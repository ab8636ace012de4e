"""Database schemas and table templates: a tolerant reading, and OUR STAND-IN for an XML that nobody has published.

No public export holds a schema, so everything here is unverified. What is relied on is the layout
``Schemes/<schema>/<table template>/`` and an ordinary form; tags and attributes are used where they are known and never
required. The stand-in that this project's own exports use (composed, not FirstSpirit's)::

    Schemes/products/StoreElement.xml                    <SCHEMA name="products"/>
    Schemes/products/products.category/StoreElement.xml  <TABLETEMPLATE filename="products.category"
                                                             entitytype="category"/>
    Schemes/products/products.category/GomSource.xml     an ordinary form
    Schemes/products/Schema.xml                          <ENTITYTYPE name="category">…, never looked into

Columns, relations and mappings do not reach the content, so they are checked for well-formedness and otherwise ignored.
"""

from typing import Final

from schema_gen.export.elements import DEFINITION_FILE, FORM_FILE, StoreElement, read_element
from schema_gen.export.findings import BrokenFileError, FindingLog
from schema_gen.export.layout import TEMPLATE_STORE, ExportDirectory, ExportFiles

__all__ = ["SCHEMES", "TABLE_UID_ATTRIBUTES", "SchemaNames", "check_schema_xml", "entity_type", "is_table_template"]

SCHEMES: Final = f"{TEMPLATE_STORE}/Schemes"
TABLE_UID_ATTRIBUTES: Final = ("filename", "name", "uid", "uniquedescription")

_ENTITY_TYPE_ATTRIBUTES: Final = ("entitytype", "entityType", "table")
_OTHER_CLASSES: Final = ("QueryImpl", "SchemaImpl", "SchemesImpl", "FolderImpl")
_OTHER_TAGS: Final = frozenset({"QUERY", "SCHEMA", "SCHEMES", "TEMPLATEFOLDER"})
_KNOWN_TAGS: Final = _OTHER_TAGS | {"TABLETEMPLATE", "TEMPLATE", "ENTITYTYPE", "ENTITYTYPES", "SCHEMAMODEL"}
_READ_ELSEWHERE: Final = frozenset({FORM_FILE, "GomDefaults.xml", "Ruleset.xml"})


def is_table_template(element: StoreElement) -> bool:
    """Tell a table template from a schema, a folder and a query, for an element below ``Schemes``."""
    if element.java_class.endswith(_OTHER_CLASSES):
        return False
    if element.java_class.endswith("TableTemplateImpl") or element.tag == "TABLETEMPLATE":
        return True
    if element.tag == "TEMPLATE" and element.attribute("type").lower() == "table":
        return True
    return element.has_form and (bool(element.java_class) or element.tag not in _OTHER_TAGS)


def entity_type(element: StoreElement, *, uid: str) -> str:
    """The table's name: an attribute of the root, else what follows the uid's first dot, else the uid."""
    return element.attribute(*_ENTITY_TYPE_ATTRIBUTES) or uid.partition(".")[2] or uid


class SchemaNames:
    """Knows the schema of a table template; each schema directory is read once."""

    def __init__(self, files: ExportFiles) -> None:
        self._files = files
        self._uids: dict[str, str] = {}

    def schema_of(self, directory: ExportDirectory, *, uid: str) -> str:
        """The uid of the schema above the table template, else what precedes the template uid's first dot."""
        below = directory.path.removeprefix(f"{SCHEMES}/")
        if below == directory.path or "/" not in below:
            return uid.partition(".")[0]
        top = f"{SCHEMES}/{below.partition('/')[0]}"
        if top not in self._uids:
            self._uids[top] = self._read_uid(top)
        return self._uids[top]

    def _read_uid(self, path: str) -> str:
        directory = next(self._files.walk(path), None) or ExportDirectory(path, frozenset(), ())
        try:
            return read_element(self._files, directory).uid(*TABLE_UID_ATTRIBUTES)
        except BrokenFileError:  # the walk over the store meets and reports it too
            return directory.name


def check_schema_xml(files: ExportFiles, directory: ExportDirectory, *, findings: FindingLog) -> None:
    """Parse the further XML of a directory below ``Schemes``; report malformed files, and unknown tags once each."""
    for name in sorted(directory.names - _READ_ELSEWHERE):
        if not name.endswith(".xml"):
            continue
        path = f"{directory.path}/{name}"
        try:
            root = files.read_xml(path)
        except BrokenFileError as problem:
            if name != DEFINITION_FILE:  # that one is reported as its element's
                findings.broken(problem)
            continue
        if root is not None and root.tag not in _KNOWN_TAGS:
            findings.warning_once(
                ("schema", root.tag),
                f"<{root.tag}> is no schema XML that is known here; it is well-formed and was otherwise ignored",
                path=path,
                line=root.line,
            )
