"""The route table: which handler answers which method on which kind of resource."""

from collections.abc import Mapping

from content_core.access import AccessControl, KeyStore
from content_core.hooks import DefinitionHook
from content_core.store import Store
from rest_compat.aggregations import Aggregations
from rest_compat.apikeys import ApiKeys
from rest_compat.binaries import Binaries
from rest_compat.bulk import Bulk
from rest_compat.call import Handler
from rest_compat.collections import Collections
from rest_compat.databases import Databases
from rest_compat.definitions import Definitions
from rest_compat.documents import Documents
from rest_compat.documents_read import DocumentReads
from rest_compat.files import Files
from rest_compat.indexes import Indexes
from rest_compat.listings import Listings
from rest_compat.metadata import Properties
from rest_compat.resources import Kind
from rest_compat.roots import Roots
from rest_compat.schemas import Schemas
from rest_compat.settings import RestSettings
from rest_compat.streams import refuse_plain_request
from rest_compat.validation import Validation

__all__ = ["build_routes"]


def build_routes(
    *,
    store: Store,
    access: AccessControl,
    keys: KeyStore,
    definitions: DefinitionHook,
    properties: Properties,
    validation: Validation,
    settings: RestSettings,
) -> Mapping[tuple[Kind, str], Handler]:
    """Build the table. HEAD has no entries of its own: it is answered by GET."""
    databases = Databases(store, keys)
    collections = Collections(store)
    documents = Documents(store, settings, validation)
    bulk = Bulk(store, settings, validation)
    schemas = Schemas(store, settings)
    apikeys = ApiKeys(store, access, keys, settings)
    apps = Definitions(store, access, definitions, settings)
    roots = Roots(store, access, properties, settings)
    listings = Listings(store, access, properties, settings)
    aggregations = Aggregations(store, access, properties, validation, settings)
    documents_read = DocumentReads(store, access, properties, settings)
    files = Files(store, settings)
    binaries = Binaries(store, properties, settings)
    indexes = Indexes(store, properties, settings)
    return {
        (Kind.ROOT, "GET"): roots.read_root,
        (Kind.ROOT_SIZE, "GET"): roots.read_root_size,
        (Kind.DB, "GET"): roots.read_database,
        (Kind.DB_SIZE, "GET"): roots.read_database_size,
        (Kind.DB_META, "GET"): roots.read_database_meta,
        (Kind.COLLECTION, "GET"): listings.read,
        (Kind.FILES_BUCKET, "GET"): listings.read,
        (Kind.SCHEMA_STORE, "GET"): listings.read,
        (Kind.COLLECTION_SIZE, "GET"): listings.read_size,
        (Kind.COLLECTION_META, "GET"): listings.read_meta,
        (Kind.COLLECTION_INDEXES, "GET"): indexes.list,
        (Kind.AGGREGATION, "GET"): aggregations.run,
        (Kind.INDEX, "PUT"): indexes.put,
        (Kind.INDEX, "DELETE"): indexes.delete,
        (Kind.CHANGE_STREAM, "GET"): refuse_plain_request,
        (Kind.DOCUMENT, "GET"): documents_read.read,
        (Kind.FILE, "GET"): documents_read.read,
        (Kind.SCHEMA, "GET"): documents_read.read,
        (Kind.DB, "PUT"): databases.put,
        (Kind.DB, "PATCH"): databases.patch,
        (Kind.DB, "DELETE"): databases.delete,
        (Kind.COLLECTION, "PUT"): collections.put,
        (Kind.COLLECTION, "PATCH"): collections.patch,
        (Kind.COLLECTION, "DELETE"): collections.delete,
        (Kind.COLLECTION, "POST"): documents.post,
        (Kind.FILES_BUCKET, "PUT"): collections.put,
        (Kind.FILES_BUCKET, "PATCH"): collections.patch,
        (Kind.FILES_BUCKET, "DELETE"): collections.delete,
        (Kind.FILES_BUCKET, "POST"): files.post,
        (Kind.FILE, "PUT"): files.put,
        (Kind.FILE, "PATCH"): files.patch,
        (Kind.FILE, "DELETE"): files.delete,
        (Kind.BULK_FILES, "DELETE"): files.delete_many,
        (Kind.FILE_BINARY, "GET"): binaries.read,
        (Kind.SCHEMA_STORE, "PUT"): collections.put,
        (Kind.SCHEMA_STORE, "PATCH"): collections.patch,
        (Kind.SCHEMA_STORE, "DELETE"): collections.delete,
        (Kind.SCHEMA_STORE, "POST"): schemas.post,
        (Kind.SCHEMA, "PUT"): schemas.put,
        (Kind.SCHEMA, "DELETE"): schemas.delete,
        (Kind.DOCUMENT, "PUT"): documents.put,
        (Kind.DOCUMENT, "PATCH"): documents.patch,
        (Kind.DOCUMENT, "DELETE"): documents.delete,
        (Kind.BULK_DOCUMENTS, "PATCH"): bulk.patch,
        (Kind.BULK_DOCUMENTS, "DELETE"): bulk.delete,
        (Kind.KEYS, "GET"): apikeys.list,
        (Kind.KEYS, "POST"): apikeys.post,
        (Kind.KEY, "GET"): apikeys.read,
        (Kind.KEY, "PUT"): apikeys.put,
        (Kind.KEY, "DELETE"): apikeys.delete,
        (Kind.DEFINITIONS, "GET"): apps.list,
        (Kind.DEFINITIONS, "POST"): apps.post,
        (Kind.DEFINITION, "GET"): apps.read,
        (Kind.DEFINITION, "PUT"): apps.put,
        (Kind.DEFINITION, "PATCH"): apps.patch,
        (Kind.DEFINITION, "DELETE"): apps.delete,
        (Kind.BULK_DEFINITIONS, "PATCH"): apps.patch_many,
        (Kind.BULK_DEFINITIONS, "DELETE"): apps.delete_many,
    }
