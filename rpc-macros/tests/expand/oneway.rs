#[rpc_service]
trait Events {
    #[rpc(oneway)]
    async fn happened(&self);
}
