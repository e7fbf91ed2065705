//! Many callers of a service that is slow and fails at random: `cargo run -p examples --example echo`.
//!
//! Each call ends in exactly one way: with its own reply or with an error. No caller ever gets the reply of another,
//! although all replies come back through one queue.

use std::{
    error::Error,
    fmt,
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use examples::{Failure, MaybeBroker};
use rpc_runtime::{Broker, CallError, Queue, Server, rpc_service};
use tokio::{task::JoinSet, time::sleep};

const CALLERS: u32 = 50;
const CALLS_OF_EACH: u32 = 10;
/// The service takes up to twice as long.
const PATIENCE: Duration = Duration::from_millis(100);

/// Returns the text, or fails at random.
#[rpc_service]
trait Echo {
    /// The same text, after a random time.
    async fn echo(&self, text: String) -> Result<String, String>;
}

/// Chooses the time and the outcome of each text at random.
struct Moody(RandomState);

impl Echo for Moody {
    async fn echo(&self, text: String) -> Result<String, String> {
        let drawn = self.0.hash_one(&text);
        let percent = u32::from(drawn.to_le_bytes()[0]) % 200;
        sleep(PATIENCE * percent / 100).await;
        match drawn % 10 {
            0 => Err(format!("{text} is out of luck")),
            _ => Ok(text),
        }
    }
}

/// Number of calls by outcome.
#[derive(Default)]
struct Ends {
    answered: u32,
    failed: u32,
    late: u32,
}

impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answered, failed, late } = self;
        write!(f, "{answered} answered, {failed} failed, {late} late")
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let broker = MaybeBroker::parse()?.connect().await?;
    let moody = EchoServer::new(Moody(RandomState::new()));
    let queue = Queue::named("Echo").temporary();
    let server =
        Server::builder(&broker).service_on(queue, moody).concurrency(1_000).start().await?;

    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(calls(caller, broker.clone()));
    }
    let mut ends = Ends::default();
    while let Some(of_one) = callers.join_next().await {
        let of_one = of_one??;
        ends.answered += of_one.answered;
        ends.failed += of_one.failed;
        ends.late += of_one.late;
    }
    println!("{} calls: {ends}", CALLERS * CALLS_OF_EACH);

    server.shutdown().await?;
    Ok(())
}

/// Makes the calls of one caller, each with its own text.
async fn calls(caller: u32, broker: Broker) -> Result<Ends, Box<dyn Error + Send + Sync>> {
    let client = EchoClient::builder(&broker).timeout(PATIENCE).build();
    let mut ends = Ends::default();
    for n in 0..CALLS_OF_EACH {
        let text = format!("text {n} of caller {caller}");
        match client.echo(text.clone()).await {
            Ok(answer) if answer == text => ends.answered += 1,
            Ok(answer) => return Err(format!("caller {caller} got the answer {answer:?}").into()),
            Err(CallError::Application(reason)) if reason.starts_with(&text) => ends.failed += 1,
            Err(CallError::DeadlineExceeded { .. }) => ends.late += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(ends)
}
