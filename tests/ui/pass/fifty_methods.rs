//! A large service.

use rpc_runtime::rpc_service;

#[rpc_service]
trait Large {
    async fn method_0(&self, first: u8, second: String) -> Result<u8, String>;
    async fn method_1(&self, first: u16, second: String) -> Result<u16, String>;
    async fn method_2(&self, first: u32, second: String) -> Result<u32, String>;
    async fn method_3(&self, first: u64, second: String) -> Result<u64, String>;
    async fn method_4(&self, first: u8, second: String) -> Result<u8, String>;
    async fn method_5(&self, first: u16, second: String) -> Result<u16, String>;
    async fn method_6(&self, first: u32, second: String) -> Result<u32, String>;
    async fn method_7(&self, first: u64, second: String) -> Result<u64, String>;
    async fn method_8(&self, first: u8, second: String) -> Result<u8, String>;
    async fn method_9(&self, first: u16, second: String) -> Result<u16, String>;
    async fn method_10(&self, first: u32, second: String) -> Result<u32, String>;
    async fn method_11(&self, first: u64, second: String) -> Result<u64, String>;
    async fn method_12(&self, first: u8, second: String) -> Result<u8, String>;
    async fn method_13(&self, first: u16, second: String) -> Result<u16, String>;
    async fn method_14(&self, first: u32, second: String) -> Result<u32, String>;
    async fn method_15(&self, first: u64, second: String) -> Result<u64, String>;
    async fn method_16(&self, first: u8, second: String) -> Result<u8, String>;
    async fn method_17(&self, first: u16, second: String) -> Result<u16, String>;
    async fn method_18(&self, first: u32, second: String) -> Result<u32, String>;
    async fn method_19(&self, first: u64, second: String) -> Result<u64, String>;
    async fn method_20(&self, first: u8, second: String) -> Result<u8, String>;
    async fn method_21(&self, first: u16, second: String) -> Result<u16, String>;
    async fn method_22(&self, first: u32, second: String) -> Result<u32, String>;
    async fn method_23(&self, first: u64, second: String) -> Result<u64, String>;
    async fn method_24(&self, first: u8, second: String) -> Result<u8, String>;
    async fn method_25(&self, first: u16, second: String) -> Result<u16, String>;
    async fn method_26(&self, first: u32, second: String) -> Result<u32, String>;
    async fn method_27(&self, first: u64, second: String) -> Result<u64, String>;
    async fn method_28(&self, first: u8, second: String) -> Result<u8, String>;
    async fn method_29(&self, first: u16, second: String) -> Result<u16, String>;
    async fn method_30(&self, first: u32, second: String) -> Result<u32, String>;
    async fn method_31(&self, first: u64, second: String) -> Result<u64, String>;
    async fn method_32(&self, first: u8, second: String) -> Result<u8, String>;
    async fn method_33(&self, first: u16, second: String) -> Result<u16, String>;
    async fn method_34(&self, first: u32, second: String) -> Result<u32, String>;
    async fn method_35(&self, first: u64, second: String) -> Result<u64, String>;
    async fn method_36(&self, first: u8, second: String) -> Result<u8, String>;
    async fn method_37(&self, first: u16, second: String) -> Result<u16, String>;
    async fn method_38(&self, first: u32, second: String) -> Result<u32, String>;
    async fn method_39(&self, first: u64, second: String) -> Result<u64, String>;
    async fn method_40(&self, first: u8, second: String) -> Result<u8, String>;
    async fn method_41(&self, first: u16, second: String) -> Result<u16, String>;
    async fn method_42(&self, first: u32, second: String) -> Result<u32, String>;
    async fn method_43(&self, first: u64, second: String) -> Result<u64, String>;
    async fn method_44(&self, first: u8, second: String) -> Result<u8, String>;
    async fn method_45(&self, first: u16, second: String) -> Result<u16, String>;
    async fn method_46(&self, first: u32, second: String) -> Result<u32, String>;
    async fn method_47(&self, first: u64, second: String) -> Result<u64, String>;
    async fn method_48(&self, first: u8, second: String) -> Result<u8, String>;
    async fn method_49(&self, first: u16, second: String) -> Result<u16, String>;
}

fn main() {
    let _ = |client: &LargeClient| drop(client.method_49(1, String::new()));
}
