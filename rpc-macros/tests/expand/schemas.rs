#[rpc_service]
pub trait Orders {
    async fn place(&self, order: Order, urgent: bool) -> Result<Receipt, Refusal>;
}
