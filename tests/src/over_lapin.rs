//! Which integration tests cannot pass over lapin, and why.

/// The program connects, with lapin's words for what fails. lapin names neither the address nor the user.
const CONNECTING: &str = "connecting is lapin's, whose errors have one cause and no address";

/// lapin reads headers by recursion, takes short strings for UTF-8, and ends its connection where they are not.
const HOSTILE: &str = "lapin's parser overflows its stack, or ends the connection";

/// RabbitMQ delivers headers in one frame, however large.
const LARGE_FRAMES: &str = "lapin ends a connection that delivers a frame above frame_max";

/// The tests of `tests/it` that scripts/test-lapin leaves out, each with what lapin makes impossible. Nothing else is left out.
pub const IMPOSSIBLE_OVER_LAPIN: &[(&str, &str)] = &[
    ("clients_that_fail::programs_recognize_a_port_of_http", CONNECTING),
    ("clients_that_fail::programs_recognize_rabbitmqs_web_port", CONNECTING),
    ("clients_that_fail::refusals_of_the_broker_are_named", CONNECTING),
    ("clients_that_fail::without_a_broker_programs_name_address_and_cause", CONNECTING),
    ("connecting::a_silent_broker_is_given_up", CONNECTING),
    ("connecting::closing_after_the_login_is_explained", CONNECTING),
    ("connecting::an_unknown_host_is_named", CONNECTING),
    ("connecting::a_missing_login_mechanism_is_named", CONNECTING),
    ("connecting::a_node_that_drops_packets_delays_little", CONNECTING),
    ("connecting::a_password_that_is_too_long_is_named", CONNECTING),
    ("connecting::a_wrong_password_is_not_tried_again", CONNECTING),
    ("connecting::an_error_has_the_cause_for_each_address", CONNECTING),
    ("connecting::an_unknown_virtual_host_is_named", CONNECTING),
    ("connecting::each_failed_attempt_logs_its_cause", CONNECTING),
    ("connecting::a_closed_port_is_tried_until_the_deadline", CONNECTING),
    ("connecting::another_protocol_is_recognized", CONNECTING),
    ("faults::single_messages::headers_over_frame_max_keep_the_connection", LARGE_FRAMES),
    ("faults::single_messages::large_headers_affect_only_their_request", LARGE_FRAMES),
    (
        "hostile::a_broker_that_stays_silent_leaves_nothing_behind",
        "lapin's attempts to connect cannot be given up: each leaves a thread and its socket",
    ),
    ("hostile::a_hostile_reply_does_not_end_its_caller", HOSTILE),
    ("hostile::hostile_headers_are_refused", HOSTILE),
    (
        "log_lines::text_of_peers_cannot_forge_log_lines",
        "lapin writes log lines within the spans of calls, whose fields are as the program chose them",
    ),
    ("random_peer::random_messages_harm_no_server_or_caller", HOSTILE),
    (
        "tls::calls_are_encrypted_and_certificates_checked",
        "TLS is lapin's, and its features decide",
    ),
    (
        "wire_requests::ids_come_back_byte_for_byte",
        "lapin's short strings are UTF-8, and it ends the connection over others",
    ),
];
