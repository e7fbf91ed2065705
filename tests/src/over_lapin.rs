//! Which integration tests cannot pass over lapin, and why.

/// The program connects, with lapin's words for what fails. lapin names neither the address nor the user.
const CONNECTING: &str = "connecting is lapin's, whose errors have one cause and no address";

/// lapin reads headers by recursion, takes short strings for UTF-8, and ends its connection where they are not.
const HOSTILE: &str = "lapin's parser overflows its stack, or ends the connection";

/// RabbitMQ delivers headers in one frame, however large.
const LARGE_FRAMES: &str = "lapin ends a connection that delivers a frame above frame_max";

/// The tests of `tests/it` that scripts/test-lapin leaves out, each with what lapin makes impossible. Nothing else is left out.
pub const IMPOSSIBLE_OVER_LAPIN: &[(&str, &str)] = &[
    ("clients_that_fail::on_a_port_of_http_programs_name_the_protocol", CONNECTING),
    (
        "clients_that_fail::on_the_port_of_rabbitmqs_web_pages_programs_name_the_protocol",
        CONNECTING,
    ),
    ("clients_that_fail::what_the_broker_refuses_is_named", CONNECTING),
    ("clients_that_fail::without_a_broker_programs_name_address_and_cause", CONNECTING),
    ("connecting::a_broker_that_accepts_and_stays_silent_is_given_up", CONNECTING),
    ("connecting::a_broker_that_hangs_up_on_a_login_is_said_to", CONNECTING),
    ("connecting::a_host_that_is_not_found_is_said_not_to_be", CONNECTING),
    ("connecting::a_login_that_the_broker_does_not_offer_is_named", CONNECTING),
    ("connecting::a_node_that_swallows_packets_costs_a_moment", CONNECTING),
    ("connecting::a_password_that_the_broker_has_no_room_for_is_named", CONNECTING),
    ("connecting::a_wrong_password_names_the_user_and_is_not_tried_again", CONNECTING),
    ("connecting::an_error_says_what_each_address_did", CONNECTING),
    ("connecting::an_unknown_virtual_host_is_named", CONNECTING),
    ("connecting::each_failed_attempt_is_one_line_with_its_cause", CONNECTING),
    ("connecting::nobody_there_is_tried_until_the_deadline", CONNECTING),
    ("connecting::what_does_not_speak_amqp_is_said_not_to", CONNECTING),
    ("faults::single_messages::headers_over_frame_max_end_no_connection", LARGE_FRAMES),
    ("faults::single_messages::large_headers_are_their_requests_problem", LARGE_FRAMES),
    (
        "hostile::a_broker_that_stays_silent_leaves_nothing_behind",
        "lapin's attempts to connect cannot be given up: each leaves a thread and its socket",
    ),
    ("hostile::a_hostile_reply_does_not_end_its_caller", HOSTILE),
    ("hostile::headers_nested_thousands_deep_and_strings_that_are_no_text_are_refused", HOSTILE),
    (
        "log_lines::no_text_of_others_forges_a_log_line",
        "lapin writes log lines within the spans of calls, whose fields are as the program chose them",
    ),
    ("random_peer::random_messages_hurt_no_server_and_no_caller", HOSTILE),
    (
        "tls::calls_travel_encrypted_and_nobody_is_trusted_unproved",
        "TLS is lapin's, and its features decide",
    ),
    (
        "wire_requests::ids_come_back_byte_for_byte",
        "lapin's short strings are UTF-8, and it ends the connection over others",
    ),
];
