//! No arguments, one, twelve, and the most that are possible.

use rpc_runtime::{Call, rpc_service};

#[rpc_service]
trait Wide {
    async fn none(&self) -> u8;
    async fn one(&self, a: u8) -> u8;
    async fn twelve(
        &self, a: u8, b: u16, c: u32, d: u64, e: String, f: Vec<u8>, g: (u8, u8), h: [u8; 4], i: char, j: bool,
        k: Option<u8>, l: f64,
    ) -> u8;
    #[rpc(blocking)]
    fn sixteen(
        &self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8, l: u8, m: u8, n: u8, o: u8,
        p: String,
    ) -> u8;
}

fn call(client: &WideClient) -> [Call<u8>; 3] {
    [
        client.none(),
        client.twelve(1, 2, 3, 4, String::new(), Vec::new(), (7, 7), [8; 4], 'i', true, None, 12.0),
        client.sixteen(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, String::new()),
    ]
}

fn main() {
    let _ = call;
}
