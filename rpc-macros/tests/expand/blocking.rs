#[rpc_service]
trait Slow {
    #[rpc(blocking)]
    fn slow(&self, n: u32) -> u64;
}
