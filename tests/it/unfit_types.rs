//! Types that bincode cannot carry are refused before anything runs.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rpc_runtime::{Broker, BrokerErrorKind, CallError, Encoding, FaultKind, Server, rpc_service};
use serde::{Deserialize, Serialize};
use tracing::Level;

use crate::logs::Log;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Purchase {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    coupon: Option<u32>,
    quantity: u32,
    items: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Event {
    Placed { id: u64 },
    Paid { id: u64 },
}

fn purchase() -> Purchase {
    Purchase { coupon: None, quantity: 1, items: vec![7, 0] }
}

mod in_bincode {
    use super::*;

    #[rpc_service(name = "Purchases")]
    pub(super) trait Purchases {
        async fn buy(&self, purchase: Purchase) -> Purchase;
    }

    #[rpc_service(name = "Events")]
    pub(super) trait Events {
        async fn last(&self) -> Event;
    }

    #[rpc_service(name = "Notes")]
    pub(super) trait Notes {
        async fn add(&self, note: Option<serde_json::Value>);
    }
}

mod in_json {
    use super::*;

    #[rpc_service(name = "Purchases", encoding = "json")]
    pub(super) trait Purchases {
        async fn buy(&self, purchase: Purchase) -> Purchase;
    }

    #[rpc_service(name = "Numbers", encoding = "json")]
    pub(super) trait Numbers {
        async fn halves(&self, number: Option<f64>) -> Option<f64>;
    }
}

#[derive(Clone, Default)]
struct Shop(Arc<AtomicUsize>);

impl in_bincode::Purchases for Shop {
    async fn buy(&self, purchase: Purchase) -> Purchase {
        self.0.fetch_add(1, Ordering::Relaxed);
        purchase
    }
}

impl in_bincode::Events for Shop {
    async fn last(&self) -> Event {
        self.0.fetch_add(1, Ordering::Relaxed);
        Event::Paid { id: 1 }
    }
}

impl in_bincode::Notes for Shop {
    async fn add(&self, _: Option<serde_json::Value>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl in_json::Purchases for Shop {
    async fn buy(&self, purchase: Purchase) -> Purchase {
        self.0.fetch_add(1, Ordering::Relaxed);
        purchase
    }
}

impl in_json::Numbers for Shop {
    async fn halves(&self, number: Option<f64>) -> Option<f64> {
        self.0.fetch_add(1, Ordering::Relaxed);
        number.map(|number| number / 0.0)
    }
}

#[tokio::test]
async fn a_server_of_unfit_arguments_does_not_start() {
    let broker = Broker::in_memory();
    let server = in_bincode::PurchasesServer::new(Shop::default());
    let refused = Server::builder(&broker).service(server).start().await.unwrap_err();
    assert_eq!(refused.kind(), BrokerErrorKind::Misuse);
    assert_eq!(
        refused.to_string(),
        "Purchases.buy cannot be served: the argument `purchase`: the field `coupon` is left out for some values \
         (`skip_serializing_if`), and what follows would be read in its place; write the trait as \
         `#[rpc_service(encoding = \"json\")]`, or change the type"
    );
}

/// Documented in `docs/encodings.md`: bincode can write a `None` of it.
#[tokio::test]
async fn an_optional_json_value_is_refused_as_none() {
    let broker = Broker::in_memory();
    let server = in_bincode::NotesServer::new(Shop::default());
    let refused = Server::builder(&broker).service(server).start().await.unwrap_err();
    assert_eq!(refused.kind(), BrokerErrorKind::Misuse);
    assert!(refused.to_string().contains("Notes.add"), "{refused}");
    match in_bincode::NotesClient::new(&broker).add(None).await {
        Err(CallError::Encode(error)) => assert!(error.to_string().contains("note"), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    item: String,
    #[serde(flatten)]
    more: BTreeMap<String, String>,
}

#[rpc_service]
trait Flat {
    async fn cost(&self, orders: Vec<Option<Order>>) -> usize;
}

impl Flat for Shop {
    async fn cost(&self, orders: Vec<Option<Order>>) -> usize {
        orders.len()
    }
}

/// serde does not name the field with `flatten`.
#[tokio::test]
async fn a_type_with_flatten_is_named() {
    let broker = Broker::in_memory();
    let server = FlatServer::new(Shop::default());
    let refused = Server::builder(&broker).service(server).start().await.unwrap_err();
    let why = "the argument `orders`, `[]`: `Order` is read by the names of its fields, as serde reads a struct with `flatten`, \
               and bincode does not write names; write the trait as `#[rpc_service(encoding = \"json\")]`, or change the type";
    assert_eq!(refused.to_string(), format!("Flat.cost cannot be served: {why}"));
    match FlatClient::new(&broker).cost(Vec::new()).await {
        Err(CallError::Encode(error)) => {
            assert_eq!(error.to_string(), format!("Flat.cost cannot be called in bincode: {why}"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_of_unfit_results_does_not_start() {
    let broker = Broker::in_memory();
    let server = in_bincode::EventsServer::new(Shop::default());
    let refused = Server::builder(&broker).service(server).start().await.unwrap_err();
    let text = refused.to_string();
    assert!(
        text.starts_with("Events.last cannot be served: the result: it asks what comes next"),
        "{text}"
    );
}

#[tokio::test]
async fn the_first_call_refuses_unfit_types() {
    let shop = Shop::default();
    let broker = Broker::serving(in_json::PurchasesServer::new(shop.clone()));
    let client = in_bincode::PurchasesClient::new(&broker);
    let refused = client.buy(purchase()).await.unwrap_err();
    let CallError::Encode(error) = refused else { panic!("{refused:?}") };
    let text = error.to_string();
    assert!(
        text.starts_with(
            "Purchases.buy cannot be called in bincode: the argument `purchase`: the field `coupon`"
        ),
        "{text}"
    );
    let client = in_json::PurchasesClient::builder(&broker).encoding(Encoding::Bincode).build();
    assert!(matches!(client.buy(purchase()).await, Err(CallError::Encode(_))));
    assert_eq!(shop.0.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn json_carries_what_bincode_cannot() {
    let broker = Broker::serving(in_json::PurchasesServer::new(Shop::default()));
    let client = in_json::PurchasesClient::new(&broker);
    assert_eq!(client.buy(purchase()).await.unwrap(), purchase());
}

#[tokio::test]
async fn a_server_refuses_unfit_types_of_a_request() {
    let shop = Shop::default();
    let broker = Broker::serving(in_json::PurchasesServer::new(shop.clone()));
    let client = rpc_runtime::UntypedClient::new(&broker, "Purchases").encoding(Encoding::Bincode);
    let refused = client.call("buy", vec![1, 2, 7, 0]).await.unwrap_err();
    let CallError::Refused(fault) = refused else { panic!("{refused:?}") };
    assert_eq!(fault.kind(), FaultKind::UnsupportedEncoding);
    assert!(fault.message().contains("the field `coupon`"), "{}", fault.message());
    assert_eq!(shop.0.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn nan_and_infinity_are_refused_in_json() {
    let shop = Shop::default();
    let broker = Broker::serving(in_json::NumbersServer::new(shop.clone()));
    let client = in_json::NumbersClient::new(&broker);
    let refused = client.halves(Some(f64::NAN)).await;
    assert!(matches!(refused, Err(CallError::Encode(_))), "{refused:?}");
    assert_eq!(shop.0.load(Ordering::Relaxed), 0, "it was refused before it was sent");
    let CallError::Refused(fault) = client.halves(Some(1.0)).await.unwrap_err() else { panic!() };
    assert_eq!(fault.kind(), FaultKind::UnencodableReply);
    assert!(fault.message().contains("no NaN and no infinity"), "{}", fault.message());
    assert_eq!(client.halves(None).await.unwrap(), None);
}

/// A type that accepts only one text, which the tracer cannot guess.
#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "String")]
struct Secret(String);

impl TryFrom<String> for Secret {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "open sesame" { Ok(Self(text)) } else { Err("wrong") }
    }
}

#[rpc_service(name = "Doors")]
trait Doors {
    async fn open(&self, door: u8, secret: Secret) -> bool;
}

struct Cave;

impl Doors for Cave {
    async fn open(&self, door: u8, secret: Secret) -> bool {
        door == 1 && secret.0.len() == 11
    }
}

#[tokio::test]
async fn types_hidden_from_signatures_are_named() {
    let (log, _guard) = Log::gather(Level::WARN);
    let broker = Broker::in_memory();
    let server = Server::builder(&broker).service(DoorsServer::new(Cave)).start().await.unwrap();
    let warning = log.line(&["by their names alone"]).await;
    for part in ["WARN", "Doors", "open", "the argument `secret` (Secret)"] {
        assert!(warning.contains(part), "{warning}");
    }
    let client = DoorsClient::new(&broker);
    assert!(client.open(1, Secret("open sesame".into())).await.unwrap());
    // The type could not be traced at the start, so each value is checked by reading it back; this check fails.
    let refused = client.open(1, Secret("open barley".into())).await;
    assert!(matches!(refused, Err(CallError::Encode(_))), "{refused:?}");
    server.shutdown().await.unwrap();
}
