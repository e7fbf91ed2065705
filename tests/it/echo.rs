//! Many callers of a service that is slow and fails at random: each gets its own reply or the right error.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use rpc_runtime::{Broker, CallError, Context, Server, rpc_service};
use rpc_tests::unique;
use serde::{Deserialize, Serialize};
use tokio::{task::JoinSet, time::sleep};

use crate::brokers::{on_both_brokers, queue};

on_both_brokers! {
    each_caller_gets_its_own_outcome;
}

const CALLERS: u64 = 40;
const CALLS: u64 = 25;
/// The timeout of a call whose method replies.
const PATIENT: Duration = Duration::from_secs(30);
/// The timeout of a call whose method never replies in time.
const IMPATIENT: Duration = Duration::from_millis(50);

#[rpc_service]
trait Echo {
    async fn echo(&self, n: u64, text: String) -> Result<String, Unlucky>;
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Unlucky {
    n: u64,
}

impl std::fmt::Display for Unlucky {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is out of luck", self.n)
    }
}

/// The planned outcome of a call, known to its caller and to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Luck {
    Answer,
    Error,
    Panic,
    TooLate,
}

#[derive(Clone)]
struct PublishOutcome(RandomState);

impl PublishOutcome {
    /// The planned outcome of this call, and its duration.
    fn of(&self, n: u64) -> (Luck, Duration) {
        let drawn = self.0.hash_one(n);
        let luck = match drawn % 20 {
            0..14 => Luck::Answer,
            14..17 => Luck::Error,
            17..19 => Luck::Panic,
            _ => Luck::TooLate,
        };
        (luck, Duration::from_millis(drawn / 20 % 20))
    }
}

struct Moody(PublishOutcome);

impl Echo for Moody {
    async fn echo(&self, n: u64, text: String) -> Result<String, Unlucky> {
        let (luck, delay) = self.0.of(n);
        sleep(delay).await;
        match luck {
            Luck::Answer => Ok(text),
            Luck::Error => Err(Unlucky { n }),
            Luck::Panic => panic!("{n} is out of luck"),
            Luck::TooLate => {
                Context::current().expect("it is called").cancelled().await;
                sleep(IMPATIENT).await;
                Ok(text)
            }
        }
    }
}

async fn each_caller_gets_its_own_outcome(broker: Broker) {
    let (name, outcome) = (unique("echo"), PublishOutcome(RandomState::new()));
    let server = Server::builder(&broker)
        .service_on(queue(&name), EchoServer::new(Moody(outcome.clone())))
        .start()
        .await
        .unwrap();
    // Opens the callback queue, which is slow, before the calls with short timeouts.
    let client = EchoClient::builder(&broker).queue(&name).timeout(PATIENT).build();
    let _ = client.echo(0, String::new()).await;

    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (client, outcome) = (client.clone(), outcome.clone());
        callers.spawn(async move {
            let mut ends = BTreeMap::<Luck, u32>::new();
            for n in (0..CALLS).map(|call| caller * CALLS + call) {
                let (luck, _) = outcome.of(n);
                let patience = if luck == Luck::TooLate { IMPATIENT } else { PATIENT };
                let text = format!("{n} of caller {caller}");
                let ended = client.echo(n, text.clone()).timeout(patience).await;
                let as_drawn = match (luck, &ended) {
                    // On a machine that stalls, the late reply may arrive first.
                    (Luck::Answer | Luck::TooLate, Ok(answer)) => *answer == text,
                    (Luck::Error, Err(CallError::Application(error))) => *error == Unlucky { n },
                    (Luck::Panic, Err(CallError::Panicked))
                    | (Luck::TooLate, Err(CallError::DeadlineExceeded { .. })) => true,
                    _ => false,
                };
                assert!(as_drawn, "call {n} should end with {luck:?}, and ended with {ended:?}");
                *ends.entry(luck).or_default() += 1;
            }
            ends
        });
    }
    let mut ends = BTreeMap::<Luck, u32>::new();
    while let Some(ended) = callers.join_next().await {
        for (luck, times) in ended.unwrap() {
            *ends.entry(luck).or_default() += times;
        }
    }
    assert_eq!(u64::from(ends.values().sum::<u32>()), CALLERS * CALLS);
    assert_eq!(ends.len(), 4, "of a thousand calls, some end in each way: {ends:?}");
    assert_eq!(broker.in_flight(), 0);
    server.shutdown().await.unwrap();
}
