//! Frames as they come from the socket; the first two bytes say in what pieces.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rpc_runtime::__fuzz::guard(bytes));
