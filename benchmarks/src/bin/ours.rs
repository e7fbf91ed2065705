//! A service of rpc-runtime as its README has it, and a client of it.

use clap::Parser as _;
use rpc_benchmarks::arguments::{
    ClientArguments, NUMBER, Role, ServerArguments, serving, told_to_end,
};
use rpc_benchmarks::{Failure, keep_in_flight};
use rpc_runtime::{Broker, Queue, Server, rpc_service};
use serde_bytes::ByteBuf;

/// The least of services.
#[rpc_service]
trait Least {
    /// The next number.
    async fn inc(&self, n: u64) -> u64;

    /// The same bytes.
    async fn echo(&self, bytes: ByteBuf) -> ByteBuf;
}

struct Worker;

impl Least for Worker {
    async fn inc(&self, n: u64) -> u64 {
        n.wrapping_add(1)
    }

    async fn echo(&self, bytes: ByteBuf) -> ByteBuf {
        bytes
    }
}

fn main() -> Result<(), Failure> {
    let role = Role::parse();
    role.common().runtime.runtime()?.block_on(async {
        match role {
            Role::Server(arguments) => serve(arguments).await,
            Role::Client(arguments) => call(arguments).await,
        }
    })
}

async fn serve(arguments: ServerArguments) -> Result<(), Failure> {
    let broker = Broker::connect(&arguments.common.url).await?;
    // Gone by itself on a broker that is not thrown away.
    let queue = Queue::named(arguments.common.queue).argument("x-expires", 60_000);
    let server =
        Server::builder(&broker).service_on(queue, LeastServer::new(Worker)).start().await?;
    serving();
    told_to_end().await?;
    server.shutdown().await?;
    Ok(())
}

async fn call(arguments: ClientArguments) -> Result<(), Failure> {
    let ClientArguments { common, load, no_confirms } = arguments;
    let broker = Broker::builder(&common.url).confirms(!no_confirms).connect().await?;
    let client = LeastClient::builder(&broker).queue(common.queue).build();
    let report = if load.payload == NUMBER {
        keep_in_flight(load, |n| {
            let call = client.inc(n);
            async move { if call.await? == n + 1 { Ok(()) } else { Err("not the next number".into()) } }
        })
        .await?
    } else {
        let sent = vec![0x5a; load.payload];
        keep_in_flight(load, |_| {
            let call = client.echo(ByteBuf::from(sent.clone()));
            async move {
                if call.await?.len() == load.payload {
                    Ok(())
                } else {
                    Err("not the same bytes".into())
                }
            }
        })
        .await?
    };
    println!("{report}");
    Ok(())
}
