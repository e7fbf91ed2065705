//! Decodes a body as every awkward type, in every encoding.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rpc_runtime::__fuzz::decoders(bytes));
