//! The memory that calls use in the calling process: while they are in flight, and after they have ended.

use std::time::Duration;

use clap::{Args, Parser};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use peak_alloc::PeakAlloc;
use rpc_benchmarks::{Failure, LeastClient, LeastServer, Worker};
use rpc_runtime::{Broker, Call, CallError, Server};
use serde_bytes::ByteBuf;
use tokio::time::sleep;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

#[derive(Parser)]
enum What {
    /// The memory of each call in flight, with a server that never replies.
    Pending(Pending),
    /// The memory left after so many successful calls, with client and server in this process.
    Calls(Number),
    /// The memory left after so many simultaneous calls have timed out.
    Timeouts(Pending),
}

#[derive(Args)]
struct Number {
    /// How many calls.
    #[arg(long)]
    calls: usize,
}

#[derive(Args)]
struct Pending {
    /// How many calls.
    #[arg(long)]
    calls: usize,

    /// The address of RabbitMQ.
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    url: String,

    /// The queue of requests.
    #[arg(long)]
    queue: String,

    /// The bytes of an argument.
    #[arg(long, default_value_t = 8)]
    payload: usize,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    match What::parse() {
        What::Pending(arguments) => pending(arguments).await,
        What::Calls(Number { calls }) => answered(calls).await,
        What::Timeouts(arguments) => timeouts(arguments).await,
    }
}

async fn pending(arguments: Pending) -> Result<(), Failure> {
    let broker = Broker::connect(&arguments.url).await?;
    let client = arguments.client(&broker).await?;
    let mut calls = Vec::with_capacity(arguments.calls);
    let before = settled().await;
    for _ in 0..arguments.calls {
        let mut call = client.never(arguments.bytes()).timeout(Duration::from_secs(600));
        if let Some(ended) = (&mut call).now_or_never() {
            ended?;
        }
        calls.push(call);
        if calls.len() % AT_ONCE == 0 {
            arguments.wait_until_sent(&mut calls, &broker).await?;
        }
    }
    arguments.wait_until_sent(&mut calls, &broker).await?;
    let after = settled().await;
    println!(
        "bytes={}",
        after.saturating_sub(before) / arguments.calls.max(1) + size_of_val(&calls[0])
    );
    Ok(())
}

/// Calls sent at a time. Fewer than the send window, so that none has to wait.
const AT_ONCE: usize = 1000;

/// Requests that the server has taken from the queue: as many as it runs at once.
const WITH_THE_SERVER: usize = 128;

/// How often a run is repeated, to see whether each repetition loses memory.
const TIMES: usize = 5;

async fn answered(calls: usize) -> Result<(), Failure> {
    const IN_FLIGHT: usize = 256;
    let broker = Broker::in_memory();
    let server = Server::builder(&broker).service(LeastServer::new(Worker)).start().await?;
    let client = LeastClient::new(&broker);
    let left = left_each_time(async || {
        let calls = (0u64..).take(calls / TIMES).map(|n| client.inc(n));
        let mut answers = stream::iter(calls).buffer_unordered(IN_FLIGHT);
        while let Some(answer) = answers.next().await {
            answer?;
        }
        Ok(())
    });
    println!("left={}", left.await? * TIMES);
    server.shutdown().await?;
    Ok(())
}

async fn timeouts(arguments: Pending) -> Result<(), Failure> {
    let client = arguments.client(&Broker::connect(&arguments.url).await?).await?;
    let left = left_each_time(async || {
        let call = |_| client.never(arguments.bytes()).timeout(arguments.long_enough());
        let calls = (0..arguments.calls).map(call);
        let mut ends = stream::iter(calls).buffer_unordered(arguments.calls);
        while let Some(end) = ends.next().await {
            match end {
                Err(CallError::DeadlineExceeded { .. }) => {}
                other => return Err(format!("not a timeout: {other:?}").into()),
            }
        }
        Ok(())
    });
    println!("left={}", left.await?);
    Ok(())
}

/// The smallest growth of allocated memory over repeated runs. A leak grows with each run, a reused buffer only with some.
async fn left_each_time(run: impl AsyncFn() -> Result<(), Failure>) -> Result<usize, Failure> {
    run().await?;
    let (mut before, mut least) = (settled().await, usize::MAX);
    for _ in 0..TIMES {
        run().await?;
        let after = settled().await;
        least = least.min(after.saturating_sub(before));
        before = after;
    }
    Ok(least)
}

impl Pending {
    /// Waits until RabbitMQ has all requests. It slows down a sender if nobody consumes, and then they wait in this process.
    async fn wait_until_sent(
        &self,
        calls: &mut [Call<()>],
        broker: &Broker,
    ) -> Result<(), Failure> {
        let waiting = async || {
            let state = broker.queue_state(&self.queue).await?;
            Ok::<_, Failure>(state.map_or(0, |state| state.messages as usize))
        };
        let before = calls.len().saturating_sub(AT_ONCE);
        while waiting().await? + WITH_THE_SERVER < calls.len() {
            sleep(Duration::from_millis(10)).await;
            // A broker that is short of memory blocks for a while, so calls have to be polled again.
            for call in &mut calls[before..] {
                if let Some(ended) = call.now_or_never() {
                    ended?;
                }
            }
        }
        Ok(())
    }

    async fn client(&self, broker: &Broker) -> Result<LeastClient, Failure> {
        let client = LeastClient::builder(broker).queue(&self.queue).build();
        // Opens the callback queue.
        client.inc(0).await?;
        Ok(client)
    }

    /// A timeout that lets all calls be in flight before the first deadline passes.
    fn long_enough(&self) -> Duration {
        let each = Duration::from_micros(30);
        Duration::from_millis(100) + each * u32::try_from(self.calls).unwrap_or(u32::MAX)
    }

    fn bytes(&self) -> ByteBuf {
        ByteBuf::from(vec![0x5a; self.payload])
    }
}

/// The allocated bytes, once they no longer change.
async fn settled() -> usize {
    const STILL: usize = 5;
    let (mut last, mut times) = (0, 0);
    while times < STILL {
        sleep(Duration::from_millis(50)).await;
        let now = ALLOCATOR.current_usage();
        times = if now.abs_diff(last) <= 1024 { times + 1 } else { 0 };
        last = now;
    }
    last
}
