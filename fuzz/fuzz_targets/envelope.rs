//! Reads the properties of a message in their wire format, starting with the flags.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rpc_runtime::__fuzz::envelope(bytes));
