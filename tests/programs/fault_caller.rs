//! Calls the ledger for some seconds and records how each call ended: `fault_caller URL QUEUE DIRECTORY NUMBER
//! SECONDS SIDE_BY_SIDE`. The numbers of its calls are unique among all callers.

#![allow(clippy::expect_used, reason = "a program under test prints why it ends")]

use std::env;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rpc_runtime::{Broker, CallError};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

mod ledger;
use ledger::{LedgerClient, Run};

/// Long enough for a restart of the broker.
const DEADLINE: Duration = Duration::from_secs(60);
/// How late after its deadline a call may end.
const LATE: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, queue, directory, number, seconds, side_by_side] = arguments.as_slice() else {
        return Err("fault_caller URL QUEUE DIRECTORY NUMBER SECONDS SIDE_BY_SIDE".into());
    };
    let broker = Broker::builder(url).heartbeat(Duration::from_secs(1)).connect().await?;
    let client = LedgerClient::builder(&broker).queue(queue).timeout(DEADLINE).build();
    let number: u64 = number.parse()?;
    let stop = Instant::now() + Duration::from_secs(seconds.parse()?);
    let report = Arc::new(Mutex::new(String::new()));
    println!("calling");

    let mut tasks = JoinSet::new();
    for lane in 0..side_by_side.parse::<u64>()? {
        let (client, report) = (client.clone(), report.clone());
        tasks.spawn(async move {
            let mut count = 0;
            while Instant::now() < stop {
                let id = (number << 48) | (lane << 32) | count;
                count += 1;
                let (method, ended) = call(&client, id).await;
                let mut report = report.lock().expect("no other lane panics");
                writeln!(report, "{id} {method} {ended}").expect("a string takes everything");
            }
        });
    }
    while let Some(lane) = tasks.join_next().await {
        lane?;
    }
    let report = report.lock().expect("all other tasks have ended").clone();
    std::fs::write(Path::new(directory).join(format!("ended-{number}")), report)?;
    println!("done, {} in flight", broker.in_flight());
    Ok(())
}

async fn call(client: &LedgerClient, id: u64) -> (&'static str, String) {
    let (method, call) = match id % 3 {
        0 => ("again", client.again(id)),
        1 => ("plain", client.plain(id)),
        _ => ("once", client.once(id)),
    };
    let ended = match timeout(DEADLINE + LATE, call).await {
        Err(_) => "hung".to_owned(),
        Ok(Ok(Run { id: answered, .. })) if answered == id => "answered".to_owned(),
        Ok(Ok(_)) => "wrong".to_owned(),
        Ok(Err(error)) => {
            let known = if error.may_have_run() { "unknown" } else { "not-run" };
            format!("{known} {}", kind(&error))
        }
    };
    (method, ended)
}

fn kind(error: &CallError) -> String {
    match error {
        CallError::Refused(fault) => fault.word().to_owned(),
        CallError::DeadlineExceeded { .. } => "deadline".to_owned(),
        CallError::ConnectionLost { .. } => "connection-lost".to_owned(),
        other => format!("{other:?}").replace(char::is_whitespace, "_"),
    }
}
