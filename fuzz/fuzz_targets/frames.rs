//! Frames as they come from the socket; the first byte says in what pieces.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rpc_amqp::__fuzz::frames(bytes));
