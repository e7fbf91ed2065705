//! A trait may be declared wherever items are allowed.

#![deny(warnings)]

use rpc_runtime::{Dispatch, rpc_service};

fn main() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Local(u8);

    #[rpc_service]
    trait Inside {
        async fn local(&self, local: Local) -> Result<Local, Local>;
    }

    struct Service;

    impl Inside for Service {
        async fn local(&self, local: Local) -> Result<Local, Local> {
            if local.0 == 0 { Err(local) } else { Ok(local) }
        }
    }

    assert_eq!(InsideServer::new(Service).descriptor().name, "Inside");
    let call = |client: &InsideClient| drop(client.local(Local(1)));
    let _ = call;

    let _ = || {
        #[rpc_service]
        trait Deeper {
            async fn nothing(&self);
        }
    };
}

mod module {
    pub mod deeper {
        use super::super::rpc_service;

        #[derive(serde::Serialize, serde::Deserialize)]
        pub struct Item;

        /// Paths are resolved from here.
        #[rpc_service]
        pub trait Nested {
            async fn item(&self, item: self::Item) -> super::deeper::Item;
        }
    }
}

#[allow(dead_code)]
fn nested(client: &module::deeper::NestedClient) -> rpc_runtime::Call<module::deeper::Item> {
    client.item(module::deeper::Item)
}
