/// Everything.
#[rpc_service(
    name = "everything",
    version = 2,
    timeout = "1m30s",
    encoding = "json",
    crate = renamed
)]
pub(crate) trait Options {
    #[rpc(name = "first-one", timeout = "250ms", idempotent, default)]
    async fn one(&self);
    #[rpc(at_most_once)]
    async fn two(&self);
    #[rpc(cacheable = "30s")]
    async fn three(&self);
}
