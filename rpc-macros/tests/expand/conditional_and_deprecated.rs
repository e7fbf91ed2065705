#[rpc_service]
pub trait Store {
    #[cfg(feature = "old")]
    #[deprecated = "use `get`"]
    async fn fetch(&self, key: String) -> u8;
    async fn get(&self, key: String) -> u8;
}
