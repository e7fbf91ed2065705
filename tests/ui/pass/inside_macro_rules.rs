//! Every part of a trait may come from a `macro_rules!` macro.

use rpc_runtime::{Dispatch, rpc_service};

macro_rules! service {
    ($(#[$attribute:meta])* $vis:vis $name:ident, $queue:literal, $version:expr, {
        $($method:ident($($argument:ident: $ty:ty),*) -> $output:ty;)*
    }) => {
        $(#[$attribute])*
        #[rpc_service(queue = $queue, version = $version)]
        $vis trait $name {
            $(async fn $method(&self, $($argument: $ty),*) -> $output;)*

            async fn fixed(&self, n: u32) -> u32;
        }
    };
}

service!(
    /// Made by a macro.
    pub Made, "made", 3, {
        get(key: String, default: Option<Vec<u8>>) -> Result<u8, String>;
        unit() -> ();
    }
);

macro_rules! within_this_crate {
    ($name:ident) => {
        #[$crate::framework::rpc_service(crate = $crate::framework)]
        trait $name {
            async fn get(&self);
        }
    };
}

use rpc_runtime as framework;

within_this_crate!(Within);

struct Service;

impl Made for Service {
    async fn get(&self, _: String, _: Option<Vec<u8>>) -> Result<u8, String> {
        Ok(1)
    }

    async fn unit(&self) {}

    async fn fixed(&self, n: u32) -> u32 {
        n
    }
}

fn main() {
    let server = MadeServer::new(Service);
    let service = server.descriptor();
    assert_eq!((service.queue, service.version, service.doc), ("made", Some(3), "Made by a macro."));
    assert_eq!(service.methods[0].arguments[1].ty, "Option<Vec<u8>>");
    assert_eq!(service.methods[0].returns, "Result<u8, String>");
    let _ = |client: &MadeClient| drop(client.get(String::new(), None));
    let _ = |client: &WithinClient| drop(client.get());
}
