"""What GraphQL applications have to do, line by line of the specification's checklist, and the tests that hold it.

The numbers are the checklist's. Lines of priority 3 are later work and stand here only where there is a test.
Lines that have no test say why.
"""

from dataclasses import dataclass
from typing import Final

__all__ = ["CHECKLIST", "LATER", "LINES", "Line"]

APP: Final = "tests/graphql_app"
OPENCAAS: Final = "tests/opencaas"
REST: Final = "tests/rest_compat"
ACCESS: Final = "tests/content_core/access"
GENERATOR: Final = "tests/schema_gen"

LINES: Final = frozenset(range(1, 53))
"""The lines of the specification."""

LATER: Final = frozenset({18, 44, 50, 51, 52})
"""Those of priority 3."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the checklist.

    Args:
        number: its number in the specification.
        feature: what applications do.
        tests: names of tests, by file.
        lacking: why some or all of it has no test.
    """

    number: int
    feature: str
    tests: dict[str, tuple[str, ...]]
    lacking: str = ""


CHECKLIST: Final = (
    Line(
        1,
        "POST endpoint, multi-segment uri, both uri forms",
        {
            f"{APP}/http/test_endpoint.py": ("test_both_forms_of_address_reach_the_application",),
            f"{APP}/http/test_socket.py": ("test_an_encoded_path_is_the_same_address",),
            f"{APP}/schema/test_definition.py": ("test_every_spelling_of_a_uri_is_one_application",),
            f"{OPENCAAS}/test_demo.py": ("test_t7_both_address_forms_give_the_same_answer",),
        },
    ),
    Line(
        2,
        "JSON and raw request forms, ignored wrong members",
        {
            f"{APP}/http/test_endpoint.py": (
                "test_json_is_read_in_any_spelling_of_its_type",
                "test_the_raw_form_is_the_query_itself",
                "test_other_types_are_refused",
                "test_members_of_a_wrong_type_are_ignored",
                "test_large_integers_keep_their_digits",
            ),
        },
    ),
    Line(
        3,
        "status table: 200 partial, 400 on null data, 408",
        {
            f"{APP}/http/test_endpoint.py": (
                "test_a_partial_result_is_200",
                "test_null_at_the_root_is_400",
                "test_the_time_limit_is_408_without_data",
                "test_a_body_without_a_query_is_refused",
                "test_a_body_that_is_no_json_is_refused",
                "test_operations_that_do_not_run_are_400",
                "test_one_of_several_operations_is_named",
                "test_an_unknown_application_is_404",
                "test_a_database_that_is_away_is_500_without_data",
            ),
        },
    ),
    Line(
        4,
        "extensions.classification, message texts",
        {
            f"{APP}/http/test_endpoint.py": (
                "test_operations_that_do_not_run_are_400",
                "test_one_of_several_operations_is_named",
                "test_what_nobody_thought_of_is_masked",
            ),
            f"{APP}/test_run.py": (
                "test_a_refused_query_is_an_error_of_its_field",
                "test_a_value_of_the_wrong_type_names_its_path",
                "test_null_in_a_non_null_field_empties_the_object",
            ),
            f"{APP}/test_workshop.py": ("test_a_name_that_is_not_bound_fails_its_field_alone",),
        },
    ),
    Line(
        5,
        "content type application/graphql-response+json",
        {
            f"{APP}/http/test_endpoint.py": (
                "test_both_forms_of_address_reach_the_application",
                "test_answers_have_the_type_that_is_accepted",
            ),
            f"{APP}/http/test_standard.py": ("test_the_preferred_type_is_chosen",),
            f"{OPENCAAS}/test_tutorial.py": ("test_t1_names_and_locales_of_both_documents",),
        },
    ),
    Line(
        6,
        "OPTIONS, CORS, 405",
        {
            f"{APP}/http/test_cors.py": (
                "test_preflights_are_answered_for_any_path",
                "test_answers_are_open_to_every_origin_without_its_credentials",
                "test_credentials_can_be_kept_to_some_origins",
            ),
            f"{APP}/http/test_endpoint.py": ("test_other_methods_are_405", "test_methods_need_credentials_too"),
        },
    ),
    Line(
        7,
        "Bearer, token, cookie; GRAPHQL, PREFIX, REGEX permissions",
        {
            f"{APP}/http/test_endpoint.py": (
                "test_strangers_learn_nothing",
                "test_a_key_opens_the_application_that_it_names",
                "test_other_local_keys_are_forbidden",
            ),
            f"{ACCESS}/test_permissions.py": (
                "test_graphql_names_the_application",
                "test_graphql_opens_no_path",
                "test_graphql_needs_post_where_methods_are_named",
                "test_paths_of_global_keys_open_applications",
            ),
            f"{ACCESS}/test_credentials.py": ("test_tokens_are_found_in_query_and_cookie",),
            f"{OPENCAAS}/test_demo.py": (
                "test_t6_no_key_is_401_and_a_rest_key_403",
                "test_both_key_headers_open_graphql",
            ),
        },
    ),
    Line(
        8,
        "definitions are written with API keys only",
        {
            f"{REST}/test_definitions.py": (
                "test_token_does_not_write_definitions",
                "test_definitions_are_opened_by_path",
            ),
            f"{OPENCAAS}/test_demo.py": ("test_read_key_cannot_change_the_schema",),
        },
    ),
    Line(
        9,
        "definition document, defaults, `name` of older servers tolerated",
        {
            f"{APP}/schema/test_definition.py": ("test_defaults_of_a_definition", "test_descriptor_is_read"),
            f"{APP}/schema/test_any_definition.py": (
                "test_definition_is_built_or_refused",
                "test_mappings_are_built_or_refused",
            ),
            f"{REST}/test_definitions.py": (
                "test_definition_is_created_read_replaced_and_deleted",
                "test_id_must_begin_with_the_tenant",
                "test_id_in_the_body_must_be_that_of_the_address",
            ),
        },
    ),
    Line(
        10,
        "order and texts of validation, 409, 501",
        {
            f"{APP}/schema/test_definition.py": (
                "test_check_gives_its_reason",
                "test_further_checks_give_their_reason",
                "test_all_reasons_are_told_in_the_order_of_the_checks",
                "test_reasons_come_in_the_documented_order",
            ),
            f"{OPENCAAS}/test_definition_lifecycle.py": (
                "test_every_check_answers_with_its_reason",
                "test_an_address_is_taken_both_ways",
            ),
            f"{REST}/test_definition_arrays.py": (
                "test_the_first_invalid_definition_stops_the_array",
                "test_a_collision_names_the_index",
            ),
            f"{REST}/test_definition_patches.py": ("test_bulk_patch_of_definitions_is_501",),
        },
    ),
    Line(
        11,
        "exact round trip of `$` and dotted keys",
        {
            f"{REST}/test_definitions.py": ("test_every_name_and_value_comes_back_as_it_was_sent",),
            f"{OPENCAAS}/test_definition_lifecycle.py": ("test_operators_and_dotted_keys_come_back_unchanged",),
            f"{APP}/test_registry.py": ("test_the_stored_definition_is_not_touched",),
        },
    ),
    Line(
        12,
        "field-to-field paths, arrays included",
        {
            f"{APP}/test_workshop.py": ("test_paths_lead_into_documents_and_lists",),
            f"{APP}/schema/test_paths.py": ("test_path_reads", "test_compiled_path_reads_the_same"),
            f"{APP}/equality/test_equality.py": ("test_every_way_gives_the_same_answer",),
        },
    ),
    Line(
        13,
        "field to query: find, sort, skip, limit, single and list",
        {
            f"{APP}/test_workshop.py": (
                "test_lists_are_filtered_sorted_and_paged",
                "test_single_fields_give_the_first_document_or_null",
            ),
            f"{APP}/query/test_find.py": (
                "test_a_single_document_is_asked_with_limit_one",
                "test_skip_and_sort_are_filled_in",
            ),
            f"{APP}/query/test_paging.py": (
                "test_sort_keys_keep_their_order",
                "test_skips_are_whole_numbers",
                "test_other_skips_are_refused",
            ),
        },
    ),
    Line(
        14,
        "$arg, defaults, paths into input objects, bracket index",
        {
            f"{APP}/test_workshop.py": (
                "test_arguments_and_their_defaults_fill_the_query",
                "test_paths_lead_into_input_objects_and_their_lists",
                "test_a_name_that_is_not_bound_fails_its_field_alone",
            ),
            f"{APP}/query/test_interpolate.py": (
                "test_values_are_filled_in_one_pass",
                "test_what_cannot_be_filled_fails_the_field",
            ),
            f"{APP}/test_run.py": ("test_a_filter_cannot_smuggle_references_in",),
        },
    ),
    Line(
        15,
        "$fk in all shapes, null policy",
        {
            f"{APP}/test_workshop.py": (
                "test_references_lead_from_document_to_document",
                "test_a_reference_to_nothing_is_null",
            ),
            f"{APP}/query/test_interpolate.py": ("test_a_null_reference_that_stands_alone_finds_nothing",),
            f"{APP}/query/test_find.py": (
                "test_a_null_reference_needs_no_query",
                "test_an_empty_list_of_references_needs_no_query",
            ),
            f"{APP}/test_run.py": ("test_a_null_reference_asks_nothing",),
        },
    ),
    Line(
        16,
        "rootDoc",
        {
            f"{APP}/test_workshop.py": (
                "test_the_root_document_stays_the_same_however_deep",
                "test_nested_types_pass_the_root_document_on",
            ),
            f"{APP}/query/test_interpolate.py": (
                "test_the_root_document_is_unbound_on_root_fields",
                "test_the_root_document_shadows_an_argument_of_its_name",
            ),
        },
    ),
    Line(
        17,
        "field to aggregation, $ifarg, allowDiskUse, empty stages",
        {
            f"{APP}/test_workshop.py": ("test_aggregations_with_optional_stages",),
            f"{APP}/test_aggregations.py": (
                "test_aggregations_give_their_documents",
                "test_a_failing_pipeline_is_an_error_of_its_field",
                "test_mongodb_hears_of_disk_use_the_time_limit_and_the_cap",
            ),
            f"{APP}/query/test_aggregate.py": (
                "test_no_stages_ask_nothing",
                "test_optional_stages_stand_where_all_names_are_bound",
                "test_a_list_ends_in_a_limit",
            ),
        },
    ),
    Line(
        18,
        "@user in aggregations",
        {
            f"{APP}/test_aggregations.py": (
                "test_the_user_is_who_asks",
                "test_without_a_user_its_properties_are_not_bound",
            ),
        },
    ),
    Line(
        19,
        "dataLoader: batching, caching, maxBatchSize",
        {
            f"{APP}/test_batching.py": (
                "test_pages_with_pictures_and_products_in_two_languages_take_three_calls",
                "test_merged_calls_answer_as_single_ones",
            ),
            f"{APP}/query/test_batching.py": (
                "test_loads_of_a_field_share_calls_up_to_its_batch_size",
                "test_a_batch_size_does_not_part_the_loads_of_other_fields",
            ),
            f"{APP}/query/test_find.py": ("test_values_of_different_types_are_different_queries",),
            f"{APP}/test_run.py": ("test_equal_queries_are_sent_once",),
            f"{APP}/equality/test_equality.py": ("test_every_way_gives_the_same_answer",),
        },
    ),
    Line(
        20,
        "verbose statistics",
        {
            f"{APP}/test_verbose.py": (
                "test_verbose_answers_tell_what_loaders_count",
                "test_other_answers_say_nothing_of_loaders",
            ),
            f"{APP}/query/test_statistics.py": ("test_numbers_are_those_of_the_options",),
        },
    ),
    Line(
        21,
        "what BSON scalars look like",
        {
            f"{APP}/test_scalars.py": (
                "test_every_scalar_shows_what_is_stored",
                "test_null_and_missing_are_null_in_every_scalar",
                "test_numbers_fit_whatever_their_type",
            ),
            f"{APP}/schema/test_scalar_output.py": ("test_fitting_value_is_written", "test_other_value_is_refused"),
        },
    ),
    Line(
        22,
        "scalar inputs that work",
        {
            f"{APP}/test_scalars.py": (
                "test_arguments_find_what_is_stored",
                "test_extended_json_in_documents_is_understood",
                "test_variables_stand_inside_literals",
            ),
            f"{APP}/schema/test_scalar_input.py": (
                "test_variable_is_read",
                "test_literal_is_read",
                "test_unfit_value_is_refused",
                "test_order_of_keys_is_kept",
            ),
            f"{APP}/http/test_endpoint.py": ("test_a_filter_variable_is_an_object",),
        },
    ),
    Line(
        23,
        "enums with arbitrary stored values",
        {
            f"{APP}/test_scalars.py": (
                "test_enums_show_their_names",
                "test_enum_defaults_are_stored_values",
                "test_values_that_an_enum_does_not_know_are_errors",
            ),
            f"{APP}/schema/test_build.py": ("test_enum_of_mixed_stored_values_resolves",),
            f"{APP}/schema/test_canonical.py": ("test_equal_values_have_one_form",),
        },
    ),
    Line(
        24,
        "interfaces, unions, $typeResolver, the parser of predicates",
        {
            f"{APP}/schema/test_build.py": (
                "test_abstract_types_are_resolved_by_predicates",
                "test_value_of_no_known_type_is_an_error_of_its_element",
                "test_interface_of_an_interface_is_built",
            ),
            f"{APP}/schema/test_matching.py": (
                "test_predicate_tests_a_document",
                "test_scalars_in_a_union",
                "test_first_true_predicate_wins",
            ),
            f"{APP}/schema/test_predicate_parser.py": ("test_text_is_read", "test_unreadable_text_is_refused"),
            f"{OPENCAAS}/test_definition_lifecycle.py": ("test_a_patch_that_breaks_a_resolver_changes_nothing",),
            f"{APP}/equality/test_equality.py": ("test_every_way_gives_the_same_answer",),
        },
    ),
    Line(
        25,
        "default and maximum limit, configurable",
        {
            f"{APP}/query/test_paging.py": (
                "test_limits_stay_within_the_maximum",
                "test_the_default_limit_gives_way_to_a_smaller_maximum",
                "test_a_limit_above_the_maximum_is_refused",
            ),
            f"{APP}/test_workshop.py": ("test_a_limit_over_the_maximum_and_null_for_a_limit",),
            f"{OPENCAAS}/test_demo.py": ("test_limit_over_the_maximum_is_refused",),
        },
    ),
    Line(
        26,
        "time limit, 408, the remaining time to the database",
        {
            f"{APP}/http/test_endpoint.py": ("test_the_time_limit_is_408_without_data",),
            f"{APP}/test_run.py": (
                "test_the_time_limit_ends_the_request_and_its_queries",
                "test_mongodb_itself_hears_of_the_time_limit",
            ),
            f"{APP}/test_aggregations.py": ("test_the_time_limit_ends_an_aggregation",),
        },
    ),
    Line(
        27,
        "safety of aggregations: recursive, names with dots",
        {
            f"{APP}/query/test_aggregate.py": ("test_values_bring_no_forbidden_stage_and_no_collection",),
            f"{APP}/query/test_any_pipeline.py": ("test_pipelines_are_safe_or_refused",),
            f"{APP}/test_aggregations.py": ("test_values_of_arguments_cannot_break_out",),
            f"{APP}/schema/test_definition.py": ("test_collections_that_stages_name_are_read_by_the_application",),
            f"{OPENCAAS}/test_definition_lifecycle.py": ("test_stages_read_no_more_than_the_writer_may",),
        },
    ),
    Line(
        28,
        "safety of filters: $where in variables",
        {
            f"{APP}/http/test_endpoint.py": ("test_operators_that_run_code_are_refused",),
            f"{APP}/query/test_safety.py": (
                "test_forbidden_operators_are_refused_at_any_depth",
                "test_long_regular_expressions_are_refused",
            ),
            f"{OPENCAAS}/test_demo.py": ("test_javascript_in_a_filter_is_refused",),
        },
    ),
    Line(
        29,
        "limits of depth, fields, aliases, tokens",
        {
            f"{APP}/plan/test_guards.py": (
                "test_guard_refuses_what_is_over_its_limit",
                "test_tokens_are_refused_while_they_are_read",
                "test_default_limits_are_those_of_the_specification",
                "test_what_is_over_a_limit_is_not_validated",
                "test_fragments_that_double_are_counted_at_once",
                "test_circles_end",
            ),
            f"{APP}/http/test_limits.py": ("test_settings_reach_their_guards",),
            f"{APP}/test_hostile.py": ("test_no_operation_keeps_the_process_busy",),
        },
    ),
    Line(
        30,
        "good-faith introspection",
        {
            f"{APP}/plan/test_introspection.py": (
                "test_every_standard_query_passes",
                "test_questions_in_good_faith_pass",
                "test_questions_in_bad_faith_are_refused",
            ),
            f"{APP}/plan/test_build.py": ("test_introspection_can_be_closed",),
        },
    ),
    Line(
        31,
        "immediate activation; the old application stays on 400",
        {
            f"{APP}/test_registry.py": (
                "test_a_written_definition_answers_at_once",
                "test_a_wrong_definition_changes_nothing",
                "test_a_definition_broken_behind_the_api_leaves_the_last_good_one",
                "test_a_request_finishes_on_the_version_that_it_began_with",
            ),
            f"{OPENCAAS}/test_definition_lifecycle.py": (
                "test_a_new_field_is_queryable_at_once",
                "test_an_invalid_definition_leaves_the_application",
            ),
            f"{APP}/http/test_socket.py": ("test_no_request_fails_while_definitions_are_swapped",),
        },
    ),
    Line(
        32,
        "other servers follow within 5 seconds",
        {
            f"{OPENCAAS}/test_definition_lifecycle.py": ("test_another_server_follows_within_five_seconds",),
            f"{OPENCAAS}/test_serve.py": ("test_a_definition_answers_on_every_worker_within_five_seconds",),
            f"{APP}/test_registry.py": (
                "test_other_servers_follow_writes_and_deletions",
                "test_without_a_feed_definitions_are_polled",
            ),
        },
    ),
    Line(
        33,
        "switching off and deleting are immediate",
        {
            f"{OPENCAAS}/test_definition_lifecycle.py": (
                "test_switching_off_and_on_is_immediate",
                "test_a_deleted_application_is_gone",
            ),
            f"{OPENCAAS}/test_serve.py": ("test_a_deleted_definition_is_gone_everywhere_within_five_seconds",),
            f"{APP}/test_registry.py": ("test_a_disabled_application_is_gone_but_keeps_its_address",),
        },
    ),
    Line(
        34,
        "a missing `enabled` is true",
        {
            f"{OPENCAAS}/test_definition_lifecycle.py": (
                "test_without_a_descriptor_the_id_is_the_address_here_and_elsewhere",
            ),
            f"{APP}/test_registry.py": ("test_an_application_without_a_descriptor_answers_under_its_id",),
        },
    ),
    Line(
        35,
        "generated FirstSpirit applications, preview and release",
        {
            f"{GENERATOR}/test_emit.py": (
                "test_definition_names_tenant_project_and_state",
                "test_server_accepts_the_definitions_without_warnings",
            ),
            f"{GENERATOR}/test_worked_example.py": ("test_worked_example_gives_its_answer",),
            f"{OPENCAAS}/test_tutorial.py": (
                "test_t1_names_and_locales_of_both_documents",
                "test_t2_headlines_of_landing_pages",
                "test_t3_filter_by_language",
            ),
            f"{OPENCAAS}/test_demo.py": (
                "test_t4_entries_six_to_ten_in_headline_order",
                "test_t4_pages_of_other_templates_are_empty",
                "test_t5_a_dotted_name_in_a_literal_is_a_syntax_error",
            ),
            f"{APP}/test_identity.py": ("test_every_type_of_document_has_its_id", "test_ids_of_answers_name_documents"),
        },
    ),
    Line(
        36,
        "names of types with the suffix of their kind, collisions",
        {
            f"{GENERATOR}/test_naming.py": ("test_type_name_follows_rule", "test_later_claims_get_numbers"),
            f"{GENERATOR}/test_named.py": (
                "test_colliding_uids_are_numbered_in_order_of_uid",
                "test_page_and_gca_page_types_do_not_collide",
            ),
        },
    ),
    Line(
        37,
        "types of components, formData per template",
        {
            f"{GENERATOR}/test_components.py": (
                "test_component_has_its_field_type",
                "test_every_component_of_the_table_is_tested",
            ),
            f"{GENERATOR}/test_emit_types.py": (
                "test_worked_example_is_printed_as_expected",
                "test_field_has_its_type",
            ),
        },
    ),
    Line(
        38,
        "references of FS_REFERENCE, FS_DATASET, FS_INDEX are resolved",
        {
            f"{GENERATOR}/test_mappings.py": ("test_references_are_resolved_beside_their_raw_form",),
            f"{GENERATOR}/test_worked_example.py": ("test_reference_without_target_is_null_and_shows_its_raw_form",),
            f"{OPENCAAS}/test_database_calls.py": ("test_resolved_documents_have_the_language_of_their_page",),
        },
    ),
    Line(
        39,
        "unions of bodies and sections, unknown ones",
        {
            f"{GENERATOR}/test_predicates.py": (
                "test_body_content_is_known_by_kind_and_uid",
                "test_without_templates_everything_is_unknown",
                "test_exactly_one_predicate_holds",
            ),
            f"{GENERATOR}/test_emit_types.py": ("test_union_has_the_project_types",),
        },
    ),
    Line(
        40,
        "deploying: only what is missing, compatible, by force",
        {
            f"{OPENCAAS}/test_schema_commands.py": (
                "test_first_deploy_creates_both_apis",
                "test_second_deploy_writes_nothing",
                "test_removed_field_is_refused_and_changes_nothing",
                "test_removed_field_is_deployed_when_allowed",
            ),
        },
        "a start that deploys what is missing: servers do not know projects, jobs deploy",
    ),
    Line(
        41,
        "GCA templates only when used; hint to deploy again",
        {
            f"{GENERATOR}/test_named.py": ("test_catalog_admits_the_named_templates_only",),
            f"{GENERATOR}/test_compare.py": ("test_template_newly_in_use_for_gca_pages_is_told",),
            f"{OPENCAAS}/test_schema_commands.py": ("test_build_with_gca_template_names_those_in_use",),
        },
    ),
    Line(42, "a model derived from documents", {}, "not built: models come from exports"),
    Line(
        43,
        "metrics by root fields, structured logs",
        {
            f"{OPENCAAS}/test_metrics.py": ("test_graphql_operations_are_told_by_application_name_and_root_fields",),
            f"{APP}/http/test_endpoint.py": ("test_what_the_request_line_says_is_bound_and_holds_no_texts_or_values",),
        },
    ),
    Line(45, "trusted documents", {}, "not built"),
    Line(
        46,
        "limits of cost",
        {
            f"{APP}/plan/test_cost.py": (
                "test_cost_is_counted_by_the_rule",
                "test_limits_come_from_variables_and_their_defaults",
                "test_cost_over_the_budget_is_refused",
            ),
            f"{APP}/http/test_limits.py": (
                "test_an_application_has_a_budget_of_its_own",
                "test_cost_is_told_to_those_who_ask",
            ),
        },
    ),
    Line(47, "totals, connections", {}, "not built"),
    Line(48, "@cacheControl, ETag", {}, "not built: every answer is no-store"),
    Line(
        49,
        "differences of schemas, report of breaking changes",
        {
            f"{GENERATOR}/test_compare.py": (
                "test_removed_template_breaks",
                "test_added_field_is_safe_and_removed_field_breaks",
                "test_new_union_member_is_dangerous",
            ),
            f"{OPENCAAS}/test_schema_commands.py": ("test_diff_exits_1_on_a_breaking_change_alone",),
        },
    ),
)
