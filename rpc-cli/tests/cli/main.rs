//! The program as a person runs it, against a real RabbitMQ.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking; the standard message is enough where the line says what was expected"
)]

mod calling;
mod connecting;
mod failing;
mod finding;
mod forging;
mod measuring;
mod pipes;
mod run;
mod sample;
mod secured;
mod typed;
