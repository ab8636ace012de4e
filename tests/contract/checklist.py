"""What a server has to do to pass for the CaaS REST interface, and the tests that hold it, over HTTP on a real MongoDB.

Lines that have no test say why.
"""

from dataclasses import dataclass
from typing import Final

__all__ = ["CHECKLIST", "Line"]

REST: Final = "tests/rest_compat"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the list.

    Args:
        feature: what the server does.
        tests: names of tests, by file.
        lacking: why some or all of it has no test.
    """

    feature: str
    tests: dict[str, tuple[str, ...]]
    lacking: str = ""


CHECKLIST: Final = (
    Line(
        "URL scheme, trailing slashes, ids, id_type",
        {
            f"{REST}/test_app.py": (
                "test_trailing_slash_and_encoding_make_no_difference",
                "test_encoded_slash_does_not_fake_a_path",
            ),
            f"{REST}/test_raw_queries.py": (
                "test_raw_braces_and_quotes_arrive",
                "test_encoded_slash_stays_in_the_id",
            ),
            f"{REST}/test_documents_read.py": (
                "test_id_type",
                "test_bad_id_is_400",
                "test_link_is_the_inverse_of_the_id",
                "test_what_is_no_document",
            ),
            f"{REST}/test_documents.py": ("test_ids_of_posted_documents", "test_location_of_each_type_of_id"),
        },
    ),
    Line(
        "reserved databases and collections",
        {
            f"{REST}/test_app.py": ("test_every_refusal_has_the_same_body",),
            f"{REST}/test_documents.py": ("test_reserved_names_are_403",),
            f"{REST}/test_collections.py": ("test_names_of_collections",),
        },
    ),
    Line(
        "HAL of root, database, collection, document; _etag.$oid; content types",
        {
            f"{REST}/test_roots.py": ("test_hal_of_root", "test_hal_of_database"),
            f"{REST}/test_listings.py": ("test_hal_of_collection",),
            f"{REST}/test_documents_read.py": ("test_document_is_its_own_json",),
        },
    ),
    Line(
        "rep=hal, pj with np, s",
        {
            f"{REST}/test_representation.py": ("test_rep_of_collection", "test_unknown_rep_is_hal_with_a_warning"),
            f"{REST}/test_roots.py": ("test_rep_of_database",),
        },
    ),
    Line(
        "default JSON out; lenient JSON in: bare names, quotes, extended types",
        {
            f"{REST}/test_listings.py": ("test_default_json_out", "test_filter"),
            f"{REST}/test_documents.py": ("test_bodies", "test_values_keep_their_types"),
        },
    ),
    Line(
        "jsonMode RELAXED, EXTENDED, STRICT; constructors and regular expressions in",
        {
            f"{REST}/test_representation.py": (
                "test_json_mode",
                "test_json_mode_goes_for_lists_sizes_and_metadata",
            ),
            f"{REST}/test_listings.py": ("test_filter",),
            "tests/content_core/test_relaxed_json.py": ("test_lenient_json_in",),
        },
    ),
    Line(
        "filter, keys, sort, page, pagesize, count, np",
        {
            f"{REST}/test_listings.py": (
                "test_filter",
                "test_bad_filter_is_400",
                "test_javascript_is_403",
                "test_keys",
                "test_bad_keys_are_400",
                "test_sort",
                "test_bad_sort_is_400",
                "test_pages",
                "test_bad_page_is_400",
                "test_pagesize_has_a_default_and_a_limit",
                "test_pagesize_0_gives_no_data",
                "test_count",
                "test_np_leaves_the_metadata_out",
            ),
            "tests/clients/test_fsxa_api.py": (
                "test_comparisons_select",
                "test_every_operator_of_the_query_builder_selects",
                "test_sort_by_several_fields",
                "test_pages_follow_each_other",
                "test_keys_leave_only_what_was_asked_for",
            ),
        },
    ),
    Line("hint, count=estimated", {f"{REST}/test_listings.py": ("test_hint", "test_count")}),
    Line("automatic np on filter queries", {f"{REST}/test_listings.py": ("test_automatic_np_on_filter_queries",)}),
    Line(
        "resolveRef",
        {
            f"{REST}/test_references.py": (
                "test_resolve_ref_of_document",
                "test_resolve_ref_of_list_adds_an_element",
                "test_resolve_ref_paths",
                "test_at_most_100_references_are_resolved",
                "test_targets_need_the_right_to_read_them",
                "test_only_own_addresses_are_resolved",
            )
        },
    ),
    Line(
        "PUT, POST, PATCH, DELETE of a document; upsert as default, wm",
        {
            f"{REST}/test_documents.py": (
                "test_put_creates_then_replaces",
                "test_post_creates_with_location_then_replaces",
                "test_patch_that_creates_is_201_with_nested_names",
                "test_delete",
                "test_write_modes",
                "test_nothing_is_created_on_the_way",
            )
        },
    ),
    Line(
        "update operators, names with dots, $currentDate",
        {
            f"{REST}/test_documents.py": (
                "test_every_update_operator",
                "test_patch_with_operators_and_dots",
                "test_dotted_names_are_unfolded",
                "test_current_date_in_a_whole_document",
            )
        },
    ),
    Line(
        "PUT and DELETE of databases and collections, PATCH of metadata",
        {
            f"{REST}/test_databases.py": (
                "test_database_is_created_with_the_collections_of_the_server",
                "test_if_match_guards_the_database",
            ),
            f"{REST}/test_collections.py": (
                "test_collection_from_put_to_delete",
                "test_empty_put_wipes_metadata_but_no_documents",
                "test_patch_merges_metadata",
            ),
        },
    ),
    Line(
        "bulk POST (body, links, 207), bulk PATCH and DELETE",
        {
            f"{REST}/test_bulk.py": (
                "test_bulk_post_body_and_links",
                "test_partial_failure_is_207",
                "test_bulk_patch_and_delete",
                "test_bulk_without_filter_is_400",
            )
        },
    ),
    Line(
        "ETag: 409, 412, 304, policies, checkEtag",
        {
            f"{REST}/test_etags.py": (
                "test_etag_missing_is_409",
                "test_etag_wrong_is_412",
                "test_etag_known_is_304",
                "test_policy_of_documents",
                "test_policy_of_collections",
                "test_policy_of_the_database_holds_for_its_collections",
            )
        },
    ),
    Line(
        "schema store, jsonSchema validation",
        {
            f"{REST}/test_schemas.py": ("test_schema_from_put_to_delete", "test_schema_that_is_none_is_400"),
            f"{REST}/test_validation.py": (
                "test_whole_documents_are_checked_before_the_write",
                "test_result_of_a_patch_is_checked_and_undone",
                "test_bulk_patch_is_501_unless_skipped",
                "test_schema_that_is_missing_is_500",
            ),
        },
    ),
    Line(
        "buckets: upload, metadata, binary, delete",
        {
            f"{REST}/test_files.py": (
                "test_upload_with_metadata_is_as_documented",
                "test_metadata_may_come_after_the_file_and_under_either_name",
                "test_put_creates_then_replaces",
                "test_post_of_an_id_that_is_there_replaces_the_file",
                "test_name_of_a_file",
                "test_content_type",
                "test_json_put_replaces_the_metadata_only",
                "test_json_patch_merges_into_the_metadata",
                "test_list_has_everything_that_lists_have",
                "test_bucket_from_put_to_delete",
                "test_delete",
                "test_etags_guard_files",
                "test_concurrent_puts_of_one_file_both_count",
                "test_rights_are_those_of_documents",
            ),
            f"{REST}/test_binaries.py": (
                "test_binary_has_the_documented_headers",
                "test_version_that_is_known_is_304",
                "test_what_is_missing_is_404",
                "test_binaries_are_streamed_and_not_compressed",
            ),
            f"{REST}/test_uploads.py": (
                "test_broken_multipart_is_400",
                "test_other_types_of_bodies",
                "test_more_than_the_limit_is_413",
                "test_client_that_goes_away_leaves_nothing",
                "test_mongodb_killed_in_the_middle_is_500_and_nothing_is_lost",
            ),
            "tests/content_core/store/test_unfinished.py": (
                "test_upload_of_a_killed_process_is_removed_when_its_time_is_over",
                "test_killed_writers_leave_whole_files_and_nothing_else",
            ),
        },
    ),
    Line(
        "ranges, safe media types",
        {
            f"{REST}/test_binaries.py": (
                "test_single_range_is_206",
                "test_range_outside_the_file_is_416",
                "test_other_ranges_give_the_whole_file",
                "test_if_range_takes_the_part_of_the_same_version_only",
                "test_range_reads_only_the_chunks_that_hold_it",
                "test_types_that_a_browser_runs_are_boxed_in",
            ),
        },
    ),
    Line("bulk delete of files", {f"{REST}/test_files.py": ("test_bulk_delete_needs_a_filter",)}),
    Line(
        "indexes",
        {
            f"{REST}/test_indexes.py": (
                "test_indexes_are_listed",
                "test_index_of_connect_with_options",
                "test_bad_index_is_400",
                "test_index_is_dropped",
                "test_default_index_stays",
            )
        },
    ),
    Line(
        "408 on slow queries",
        {
            f"{REST}/test_listings.py": ("test_slow_queries_are_408",),
            f"{REST}/test_aggregations.py": ("test_time_limit_is_408",),
            "tests/contract/test_error_shape.py": (
                "test_slow_query_is_cut_off",
                "test_query_that_mongodb_does_not_cut_off_is_given_up",
            ),
        },
    ),
    Line(
        "aggregations with variables and paging",
        {
            f"{REST}/test_aggregations.py": (
                "test_aggregation_runs_with_variables_and_paging",
                "test_page_and_pagesize_are_bound",
                "test_paging_is_never_automatic",
                "test_representations",
                "test_results_that_are_no_documents_are_embedded_as_they_are",
                "test_aggregation_of_a_bucket",
                "test_unbound_variable_is_400",
                "test_bad_avars_are_400",
                "test_unknown_aggregation_is_404",
                "test_what_mongodb_refuses_is_422",
                "test_sort_beyond_the_memory_is_422_unless_the_disk_is_allowed",
                "test_graph_lookup_without_bounds_ends_with_422",
                "test_large_result_is_422",
                "test_pipeline_that_writes_gives_an_empty_result",
            ),
            f"{REST}/test_pipeline_definitions.py": (
                "test_bad_definition_changes_nothing",
                "test_both_spellings_are_stored_alike_and_shown_unescaped",
            ),
            f"{REST}/test_caches.py": ("test_changed_aggregation_is_seen_by_the_other_server",),
        },
    ),
    Line(
        "pipeline security, no JavaScript",
        {
            f"{REST}/test_pipeline_access.py": (
                "test_reading_another_collection_takes_the_right_to_read_it",
                "test_writing_takes_the_right_to_write",
                "test_some_collections_nobody_may_touch",
                "test_other_databases_take_rights_there",
                "test_javascript_is_never_run",
                "test_map_reduce_is_never_run",
                "test_stages_that_show_the_server_are_refused",
                "test_variable_in_the_place_of_a_name_is_400",
            ),
            "tests/content_core/test_pipelines.py": (
                "test_javascript_is_refused_wherever_it_stands",
                "test_every_collection_of_a_pipeline_is_told",
            ),
        },
    ),
    Line(
        "$ifvar",
        {
            f"{REST}/test_aggregations.py": ("test_ifvar_keeps_or_drops_a_stage",),
            f"{REST}/test_pipeline_variables.py": ("test_optional_stages_stay_or_go",),
        },
    ),
    Line(
        "change streams, crud, pings, resume",
        {
            f"{REST}/streams/test_connecting.py": (
                "test_token_in_the_query_opens_a_stream",
                "test_upgrade_without_credentials_is_401",
                "test_unknown_stream_is_404",
                "test_get_without_upgrade_is_400",
                "test_variables_that_do_not_fit_are_400",
                "test_stages_that_cannot_run_are_refused",
            ),
            f"{REST}/streams/test_events.py": (
                "test_insert_replace_update_and_delete_are_told_in_order",
                "test_each_write_of_the_interface_is_the_operation_that_it_should_be",
                "test_nothing_that_happened_before_is_told",
                "test_json_mode_applies",
            ),
            f"{REST}/streams/test_life.py": (
                "test_frames_from_clients_are_ignored",
                "test_pings_are_frames_of_their_own_and_no_text_comes_between_events",
                "test_changed_definition_closes_its_watchers_only",
                "test_collection_dropped_in_the_database_closes",
                "test_expired_token_leaves_open_sockets_alone",
                "test_deleted_key_closes_within_a_second",
                "test_slow_reader_is_closed_and_others_do_not_notice",
                "test_two_streams_of_the_same_stages_are_one_cursor",
            ),
            "tests/content_core/store/test_streams.py": ("test_nothing_is_missed_or_doubled_over_restarts",),
            "tests/opencaas/test_faults.py": ("test_mongod_killed_and_started_again_under_load",),
            "tests/opencaas/test_sockets.py": ("test_example_of_the_documentation_shows_changes_in_a_browser",),
            "tests/clients/test_fsxa_api.py": ("test_caas_event_stream_passes_changes_on",),
        },
    ),
    Line(
        'Basic, apikey="…", Bearer, order of the three ways',
        {
            f"{REST}/test_access.py": (
                "test_basic_is_the_admin",
                "test_both_header_forms_name_a_key",
                "test_only_the_first_of_the_three_ways_counts",
            )
        },
    ),
    Line(
        "security token, cookie, tenant, ttl",
        {
            f"{REST}/test_tokens.py": (
                "test_securetoken_is_given_for_a_key",
                "test_securetoken_opens_what_its_key_opens",
                "test_securetoken_tenant_and_ttl_are_checked",
                "test_securetoken_is_good_for_one_database_only",
                "test_securetokencookie_lives_as_long_as_its_token",
                "test_cookie_alone_changes_nothing_for_strange_origins",
            ),
            "tests/clients/test_fsxa_api.py": ("test_secure_token_opens_what_its_key_opens",),
        },
    ),
    Line(
        "local before global keys, permission table",
        {
            f"{REST}/test_access.py": (
                "test_local_key_comes_before_the_global_one",
                "test_permission_table",
                "test_permission_details",
            )
        },
    ),
    Line(
        "permissionMode REGEX, GRAPHQL",
        {f"{REST}/test_access.py": ("test_permission_details", "test_permission_mode_graphql_opens_the_application")},
    ),
    Line(
        "API key endpoints, checks, write right for reading",
        {
            f"{REST}/test_apikeys.py": (
                "test_key_is_created_read_replaced_and_deleted",
                "test_unacceptable_key_is_400",
                "test_keys_are_opened_by_the_right_to_write_them",
                "test_nothing_about_keys_is_open_to_readers",
                "test_list_is_filtered_sorted_and_projected",
            )
        },
    ),
    Line(
        "schema of API keys made at start and by PUT of the database; 500 without it",
        {
            f"{REST}/test_apikeys.py": ("test_missing_schema_is_500",),
            f"{REST}/test_schemas.py": ("test_schema_of_api_keys_comes_back_with_a_put_of_the_database",),
            "tests/content_core/access/test_keys.py": ("test_start_serves_every_database_there_is",),
        },
    ),
    Line(
        "error body, statuses",
        {
            "tests/contract/test_error_shape.py": (
                "test_refusal_has_the_error_body",
                "test_refusal_has_no_body",
                "test_unknown_callers_get_nothing",
            ),
            f"{REST}/test_app.py": ("test_every_refusal_has_the_same_body",),
        },
    ),
    Line(
        "CORS, OPTIONS, HEAD, gzip",
        {
            f"{REST}/test_cors.py": (
                "test_cors_headers_stand_on_every_answer",
                "test_head_says_what_get_says",
                "test_gzip_for_rest_and_graphql",
            ),
            f"{REST}/test_app.py": ("test_options_needs_no_credentials",),
        },
    ),
    Line(
        "/_logic/healthcheck",
        {
            "tests/opencaas/test_serve.py": ("test_health_check_is_open",),
            "tests/content_core/store/test_store.py": ("test_hanging_mongodb_is_reported_within_two_seconds",),
            "tests/opencaas/test_health.py": (
                "test_checks_hold_while_mongodb_works",
                "test_everything_is_said_within_two_seconds_while_mongodb_hangs",
                "test_health_returns_when_mongodb_does",
            ),
        },
    ),
    Line(
        "/_metrics JSON and Prometheus",
        {
            "tests/opencaas/test_metrics.py": (
                "test_promtool_finds_nothing_to_complain_about",
                "test_json_has_all_figures",
                "test_requests_to_all_workers_are_counted_once",
                "test_one_database_and_one_collection_have_timers_of_their_own",
            ),
            "tests/opencaas/metrics/test_endpoint.py": (
                "test_metrics_user_and_admin_may_read",
                "test_timers_have_the_documented_names_and_labels",
                "test_timers_in_json_are_named_by_type_method_and_status",
                "test_forms_that_are_not_given",
                "test_nothing_but_reading",
                "test_levels",
            ),
        },
    ),
)
