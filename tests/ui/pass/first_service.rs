//! A service with every kind of method.

use std::sync::Arc;

use rpc_runtime::{Broker, Call, Dispatch, rpc_service};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct FibError;

/// Numbers of the Fibonacci sequence.
#[rpc_service]
pub trait Fibonacci {
    /// The `n`-th number; refuses an `n` whose result does not fit a `u64`.
    async fn fib(&self, n: u32) -> Result<u64, FibError>;

    /// Forgets everything computed so far.
    #[rpc(oneway)]
    async fn reset(&self);

    #[rpc(blocking)]
    fn slow(&self, n: u32) -> u64;
}

#[derive(Default)]
struct Worker;

impl Fibonacci for Worker {
    async fn fib(&self, n: u32) -> Result<u64, FibError> {
        Ok(u64::from(n))
    }

    async fn reset(&self) {}

    fn slow(&self, n: u32) -> u64 {
        u64::from(n)
    }
}

async fn call(broker: &Broker) {
    let client = FibonacciClient::new(broker);
    let _: Call<u64, FibError> = client.fib(30);
    let _: Call<()> = client.reset();
    let _: Call<u64> = client.slow(30);
    let _: FibonacciClient = FibonacciClient::builder(broker).build();
}

fn main() {
    let _ = call;
    let server = FibonacciServer::new(Worker);
    let service = server.descriptor();
    assert_eq!((service.name, service.queue, service.version), ("Fibonacci", "Fibonacci", None));
    assert_eq!(service.doc, "Numbers of the Fibonacci sequence.");
    let [fib, reset, slow] = service.methods else { panic!("three methods") };
    assert_eq!((fib.name, fib.returns, fib.arguments[0].ty), ("fib", "Result<u64, FibError>", "u32"));
    assert!(reset.oneway && slow.blocking);
    assert_eq!(format!("{server:?}"), "FibonacciServer { .. }");
    FibonacciServer::new(Arc::new(Worker));
}
