//! Tests of a caller of a service, without RabbitMQ: `cargo test --example testing_a_service`.
//!
//! A shop charges its customers through a service. The shop has to handle a lost reply, a missing service and a lost
//! connection; its tests inject these faults. Their time is paused, so that deadlines and pauses take no time.
//! `cargo run -p examples-of-testing --example testing_a_service` shows a purchase whose first reply is lost.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rpc_runtime::{Broker, CallError, rpc_service, testing::Faults};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

/// Payments.
#[rpc_service(timeout = "2s")]
pub trait Payments {
    /// Charges an order, once.
    async fn charge(&self, order: u32, cents: u64) -> Result<(), Refusal>;

    /// The amount that an order was charged, if any.
    #[rpc(idempotent)]
    async fn charged(&self, order: u32) -> Option<u64>;
}

/// The reason for a refused charge.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    /// The amount is over the limit.
    #[error("the limit is {limit} cents")]
    OverTheLimit {
        /// In cents.
        limit: u64,
    },
    /// The order was charged before.
    #[error("the order was charged already")]
    Again,
}

/// The service, in memory.
#[derive(Debug, Default)]
pub struct Till {
    charged: Mutex<HashMap<u32, u64>>,
}

const LIMIT: u64 = 100_000;

impl Payments for Till {
    async fn charge(&self, order: u32, cents: u64) -> Result<(), Refusal> {
        if cents > LIMIT {
            return Err(Refusal::OverTheLimit { limit: LIMIT });
        }
        let mut charged = self.charged.lock().unwrap_or_else(PoisonError::into_inner);
        if charged.contains_key(&order) {
            return Err(Refusal::Again);
        }
        charged.insert(order, cents);
        Ok(())
    }

    async fn charged(&self, order: u32) -> Option<u64> {
        let charged = self.charged.lock().unwrap_or_else(PoisonError::into_inner);
        charged.get(&order).copied()
    }
}

/// The outcome for a customer.
#[derive(Debug, PartialEq, Eq)]
pub enum Purchase {
    /// The money was taken, once.
    Paid,
    /// No money was taken.
    NotPaid(String),
    /// Unknown: a person has to look it up.
    Unclear,
}

/// The shop, which handles failed calls.
#[derive(Debug)]
pub struct Shop {
    payments: PaymentsClient,
}

impl Shop {
    /// Charges an order. A charge that was not made is tried three times; an unclear one is looked up.
    ///
    /// # Cancel safety
    ///
    /// After a drop the order may or may not be charged.
    pub async fn buy(&self, order: u32, cents: u64) -> Purchase {
        for pause in [1, 10, 0].map(Duration::from_secs) {
            match self.payments.charge(order, cents).await {
                Ok(()) => return Purchase::Paid,
                Err(CallError::Application(refusal)) => {
                    return Purchase::NotPaid(refusal.to_string());
                }
                Err(error) if error.may_have_run() => return self.look_up(order).await,
                Err(_) => sleep(pause).await,
            }
        }
        Purchase::NotPaid("try again later".to_owned())
    }

    async fn look_up(&self, order: u32) -> Purchase {
        match self.payments.charged(order).await {
            Ok(Some(_)) => Purchase::Paid,
            _ => Purchase::Unclear,
        }
    }
}

#[tokio::main]
async fn main() {
    let faults = Faults::new();
    let broker = Broker::serving_with(PaymentsServer::new(Till::default()), &faults);
    let shop = Shop { payments: PaymentsClient::new(&broker) };

    faults.method("charge").drop_replies(1);
    println!("charging 25.00; the reply is lost, and the call times out after two seconds");
    println!("the customer gets: {:?}", shop.buy(1, 2_500).await);
}

#[cfg(test)]
mod tests {
    use rpc_runtime::Dispatch;
    use tokio::time::Instant;

    use super::*;

    struct Bench {
        faults: Faults,
        shop: Shop,
    }

    impl Bench {
        fn new() -> Self {
            let faults = Faults::new();
            let broker = Broker::serving_with(PaymentsServer::new(Till::default()), &faults);
            let shop = Shop { payments: PaymentsClient::new(&broker) };
            Self { faults, shop }
        }

        async fn charged(&self, order: u32) -> Option<u64> {
            self.shop.payments.charged(order).await.unwrap()
        }
    }

    /// The service is a plain trait, so its own logic needs no broker.
    #[tokio::test]
    async fn an_order_is_charged_once() {
        let till = Till::default();
        assert_eq!(till.charge(1, LIMIT).await, Ok(()));
        assert_eq!(till.charge(1, 1).await, Err(Refusal::Again));
        assert_eq!(till.charge(2, LIMIT + 1).await, Err(Refusal::OverTheLimit { limit: LIMIT }));
        assert_eq!((till.charged(1).await, till.charged(2).await), (Some(LIMIT), None));
    }

    #[tokio::test]
    async fn a_refusal_reaches_the_customer() {
        let bench = Bench::new();
        assert_eq!(bench.shop.buy(1, 2_500).await, Purchase::Paid);
        let expected = Purchase::NotPaid("the limit is 100000 cents".to_owned());
        assert_eq!(bench.shop.buy(2, LIMIT + 1).await, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_reply_is_looked_up() {
        let bench = Bench::new();
        bench.faults.method("charge").drop_replies(1);
        let started = Instant::now();
        assert_eq!(bench.shop.buy(1, 2_500).await, Purchase::Paid);
        assert_eq!(bench.faults.remaining(), 0);
        assert_eq!(started.elapsed().as_secs(), 2, "the deadline of the service, in no time");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_request_is_unclear() {
        let bench = Bench::new();
        bench.faults.method("charge").drop_requests(1);
        assert_eq!(bench.shop.buy(1, 2_500).await, Purchase::Unclear);
        assert_eq!(bench.charged(1).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_charge_is_tried_three_times() {
        let bench = Bench::new();
        bench.faults.return_requests(2);
        assert_eq!(bench.shop.buy(1, 2_500).await, Purchase::Paid);

        bench.faults.reject_requests(3);
        let expected = Purchase::NotPaid("try again later".to_owned());
        assert_eq!(bench.shop.buy(2, 2_500).await, expected);
        assert_eq!(bench.charged(2).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_connection_leaves_one_charge() {
        let bench = Bench::new();
        bench.faults.delay_replies(Duration::from_secs(1));
        let (outcome, ()) = tokio::join!(bench.shop.buy(1, 2_500), async {
            sleep(Duration::from_millis(500)).await;
            bench.faults.lose_connection();
        });
        assert_eq!(outcome, Purchase::Paid);
        assert_eq!(bench.charged(1).await, Some(2_500));
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_of_a_few_seconds_goes_unnoticed() {
        let (bench, started) = (Bench::new(), Instant::now());
        bench.faults.refuse_connections();
        bench.faults.lose_connection();
        let (outcome, ()) = tokio::join!(bench.shop.buy(1, 2_500), async {
            sleep(Duration::from_secs(4)).await;
            bench.faults.accept_connections();
        });
        assert_eq!(outcome, Purchase::Paid);
        assert!(started.elapsed().as_secs() >= 4);
    }

    /// Callers built with other types are refused. After an intended change, release another version of the service or update
    /// the signatures here.
    #[test]
    fn the_wire_types_have_not_changed() {
        let service = PaymentsServer::new(Till::default());
        let methods = service.descriptor().methods.iter();
        let signatures: Vec<_> = methods.map(|m| (m.name, m.signature.as_str())).collect();
        assert_eq!(signatures, [("charge", "7b505d23987835f4"), ("charged", "d65942a28080086a")]);
    }
}
