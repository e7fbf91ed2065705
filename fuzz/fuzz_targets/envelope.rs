//! The properties of a message as they stand on the wire, from their flags on.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rpc_runtime::__fuzz::envelope(bytes));
