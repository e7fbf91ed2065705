/// Adds.
#[rpc_service]
pub trait Adder {
    /// The sum of both.
    async fn add(&self, left: u32, right: u32) -> u64;
}
