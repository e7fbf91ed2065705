//! Reads frames from a socket. The first byte sets the sizes of the pieces.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rpc_amqp::__fuzz::frames(bytes));
