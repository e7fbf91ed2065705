//! An old caller and a new server: checks docs/evolving.md for each change.

use rpc_runtime::{Broker, CallError, Encoding, FaultKind, UntypedClient};

mod old {
    use rpc_runtime::rpc_service;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    pub(crate) struct Order {
        pub(crate) item: String,
    }

    #[derive(Serialize, Deserialize)]
    pub(crate) struct Price {
        pub(crate) amount: u32,
    }

    #[derive(Serialize, Deserialize)]
    pub(crate) struct Parcel {
        pub(crate) weight: u32,
        pub(crate) colour: String,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) enum Size {
        Small,
    }

    #[rpc_service]
    pub(crate) trait Shop {
        async fn same(&self, n: u32) -> u32;
        async fn gone(&self);
        async fn field_more(&self, order: Order) -> u32;
        async fn field_more_in_result(&self) -> Price;
        async fn field_less(&self, parcel: Parcel) -> u32;
        async fn variant_more(&self, size: Size, answer_large: bool) -> Size;
        async fn wider(&self, n: u32) -> u32;
        async fn fallible(&self, n: u32) -> u32;
        async fn argument_more(&self, n: u32) -> u32;
        async fn argument_less(&self, n: u32, m: u32) -> u32;
        async fn changed_places(&self, minuend: u32, subtrahend: u32) -> u32;
    }
}

mod new {
    use rpc_runtime::rpc_service;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    pub(crate) struct Order {
        pub(crate) item: String,
        #[serde(default)]
        pub(crate) urgent: bool,
        pub(crate) note: Option<String>,
    }

    #[derive(Serialize, Deserialize)]
    pub(crate) struct Price {
        pub(crate) amount: u32,
        pub(crate) currency: String,
    }

    #[derive(Serialize, Deserialize)]
    pub(crate) struct Parcel {
        pub(crate) weight: u32,
    }

    #[derive(Serialize, Deserialize)]
    pub(crate) enum Size {
        Small,
        Large,
    }

    #[rpc_service]
    pub(crate) trait Shop {
        #[rpc(name = "same", timeout = "1s", idempotent)]
        async fn renamed(&self, number: u32) -> u32;
        async fn field_more(&self, order: Order) -> u32;
        async fn field_more_in_result(&self) -> Price;
        async fn field_less(&self, parcel: Parcel) -> u32;
        async fn variant_more(&self, size: Size, answer_large: bool) -> Size;
        async fn wider(&self, n: u64) -> u64;
        async fn fallible(&self, n: u32) -> Result<u32, String>;
        async fn argument_more(&self, n: u32, label: Option<String>) -> u32;
        async fn argument_less(&self, n: u32) -> u32;
        async fn changed_places(&self, subtrahend: u32, minuend: u32) -> u32;
    }
}

struct Server;

impl new::Shop for Server {
    async fn renamed(&self, number: u32) -> u32 {
        number
    }

    async fn field_more(&self, order: new::Order) -> u32 {
        assert!(!order.urgent && order.note.is_none());
        u32::try_from(order.item.len()).unwrap()
    }

    async fn field_more_in_result(&self) -> new::Price {
        new::Price { amount: 3, currency: "EUR".to_owned() }
    }

    async fn field_less(&self, parcel: new::Parcel) -> u32 {
        parcel.weight
    }

    async fn variant_more(&self, size: new::Size, answer_large: bool) -> new::Size {
        if answer_large { new::Size::Large } else { size }
    }

    async fn wider(&self, n: u64) -> u64 {
        n + 1
    }

    async fn fallible(&self, n: u32) -> Result<u32, String> {
        if n == 0 { Err("nothing".to_owned()) } else { Ok(n) }
    }

    async fn argument_more(&self, n: u32, label: Option<String>) -> u32 {
        assert!(label.is_none());
        n
    }

    async fn argument_less(&self, n: u32) -> u32 {
        n
    }

    async fn changed_places(&self, subtrahend: u32, minuend: u32) -> u32 {
        minuend.wrapping_sub(subtrahend)
    }
}

fn broker() -> Broker {
    Broker::serving(new::ShopServer::new(Server))
}

fn caller(broker: &Broker, encoding: Encoding) -> old::ShopClient {
    old::ShopClient::builder(broker).encoding(encoding).build()
}

fn order() -> old::Order {
    old::Order { item: "tea".to_owned() }
}

fn parcel() -> old::Parcel {
    old::Parcel { weight: 7, colour: "red".to_owned() }
}

/// The fault kind of a refused call.
fn refused<T: std::fmt::Debug>(ended: Result<T, CallError>) -> FaultKind {
    match ended {
        Err(CallError::Refused(fault)) => fault.kind(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn names_and_options_may_change() {
    let broker = broker();
    for encoding in [Encoding::Bincode, Encoding::Json] {
        let shop = caller(&broker, encoding);
        assert_eq!(shop.same(5).await.unwrap(), 5);
        assert_eq!(refused(shop.gone().await), FaultKind::UnknownMethod);
    }
}

#[tokio::test]
async fn bincode_refuses_changed_types() {
    let broker = broker();
    let shop = caller(&broker, Encoding::Bincode);
    for kind in [
        refused(shop.field_more(order()).await),
        refused(shop.field_more_in_result().await.map(|price| price.amount)),
        refused(shop.field_less(parcel()).await),
        refused(shop.variant_more(old::Size::Small, false).await),
        refused(shop.wider(1).await),
        refused(shop.fallible(1).await),
        refused(shop.argument_more(1).await),
        refused(shop.argument_less(1, 2).await),
    ] {
        assert_eq!(kind, FaultKind::Incompatible);
    }
    // As documented: swapped arguments of one type are not noticed.
    assert_eq!(shop.changed_places(5, 3).await.unwrap(), 3_u32.wrapping_sub(5));
}

#[tokio::test]
async fn json_accepts_what_its_reader_accepts() {
    let broker = broker();
    let shop = caller(&broker, Encoding::Json);
    assert_eq!(shop.field_more(order()).await.unwrap(), 3);
    assert_eq!(shop.field_more_in_result().await.unwrap().amount, 3);
    assert_eq!(shop.field_less(parcel()).await.unwrap(), 7);
    assert_eq!(shop.variant_more(old::Size::Small, false).await.unwrap(), old::Size::Small);
    assert_eq!(shop.wider(1).await.unwrap(), 2);
    assert_eq!(shop.fallible(1).await.unwrap(), 1);

    for ended in [
        shop.variant_more(old::Size::Small, true).await.map(drop),
        shop.wider(u32::MAX).await.map(drop),
        shop.fallible(0).await.map(drop),
    ] {
        assert!(matches!(ended, Err(CallError::Decode(_))), "{ended:?}");
    }
}

#[tokio::test]
async fn only_named_json_arguments_may_change() {
    let broker = broker();
    let shop = caller(&broker, Encoding::Json);
    assert_eq!(refused(shop.argument_more(1).await), FaultKind::BadArguments);
    assert_eq!(refused(shop.argument_less(1, 2).await), FaultKind::BadArguments);
    assert_eq!(shop.changed_places(5, 3).await.unwrap(), 3_u32.wrapping_sub(5), "misread");

    let by_name = UntypedClient::new(&broker, "Shop");
    let call = async |method: &str, arguments: &'static str| {
        by_name.call(method, arguments).await.unwrap().to_string()
    };
    assert_eq!(call("argument_more", r#"{"n": 1}"#).await, "1");
    let swapped = r#"{"minuend": 5, "subtrahend": 3}"#;
    assert_eq!(call("changed_places", swapped).await, "2");
}
