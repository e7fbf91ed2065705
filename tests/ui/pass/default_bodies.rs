//! A body in the trait is the default for implementations.

#![deny(warnings)]

use rpc_runtime::rpc_service;

#[rpc_service]
pub trait Greeter {
    async fn name(&self) -> String;

    async fn greet(&self, greeting: String) -> Result<String, String> {
        if greeting.is_empty() {
            return Err("no greeting".into());
        }
        let name = self.name().await;
        let checked = self.check(name)?;
        Ok(format!("{greeting}, {checked}"))
    }

    #[rpc(blocking)]
    fn check(&self, name: String) -> Result<String, String> {
        Ok(name)
    }

    async fn nothing(&self) {}
}

struct World;

impl Greeter for World {
    async fn name(&self) -> String {
        "world".to_owned()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let shared = std::sync::Arc::new(World);
    assert_eq!(shared.greet("hello".to_owned()).await, Ok("hello, world".to_owned()));
    assert_eq!(shared.greet(String::new()).await, Err("no greeting".to_owned()));
    GreeterServer::new(shared);
}
