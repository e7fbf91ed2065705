#[rpc_service]
trait Fibonacci {
    /// The `n`-th number.
    async fn fib(&self, n: u32) -> Result<u64, FibError>;
}
