#[rpc_service(timeout = "soon")]
pub trait Faulty {
    async fn borrows(&self, text: &str) -> Result<u8, String>;
    fn neither(&self, (left, right): (u8, u8)) -> Self;
    async fn new<T>(self, value: T);
    async fn fine(&self, n: u8) -> u8;
}
