//! The integration tests, with a real RabbitMQ and real Python peers.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking; the standard message is enough where the line says what was expected"
)]

mod brokers;
mod calls;
mod clients_that_fail;
mod connecting;
mod dead_lettered;
mod discovery;
mod echo;
mod evolving;
mod examples;
mod faults;
mod flow;
mod four_questions;
mod guide;
mod harness;
mod hostile;
mod identity;
mod interop;
mod least_privilege;
mod lifecycle;
mod log_lines;
mod logs;
mod middleware;
mod options;
mod over_lapin;
mod paused_time;
mod queue_waits;
mod random_peer;
mod secrets;
mod server_logs;
mod signatures;
mod timeouts;
mod tls;
mod unfit_types;
mod unserved;
mod untyped;
mod wire_replies;
mod wire_requests;
