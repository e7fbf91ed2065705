//! The documentation of a service, written from the description that its servers send.

pub(crate) mod asyncapi;
pub(crate) mod markdown;
pub(crate) mod named;
pub(crate) mod types;

#[cfg(test)]
pub(crate) fn sample() -> rpc_runtime::discovery::ServiceInfo {
    let described = serde_json::json!({
        "name": "Fibonacci", "version": 2, "queue": "Fibonacci.v2",
        "encoding": "application/x-bincode", "timeout_ms": 5000,
        "doc": "Numbers of the sequence.\n\nTwo paragraphs.",
        "methods": [
            {
                "name": "fib", "doc": "The `n`-th number.", "idempotent": true,
                "arguments": [{"name": "n", "type": "u32"}, {"name": "hint", "type": "Option<String>"}],
                "returns": "Result<u64, FibError>", "signature": "00000000000000ff",
            },
            {"name": "reset", "oneway": true, "returns": "()"},
        ],
    });
    serde_json::from_value(described).unwrap()
}
