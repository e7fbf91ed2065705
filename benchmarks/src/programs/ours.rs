//! A service of rpc-runtime as in its README, and a client.

use rpc_benchmarks::arguments::{
    ClientArguments, NUMBER, Role, ServerArguments, serving, terminated,
};
use rpc_benchmarks::{Failure, LeastClient, LeastServer, Worker, increment, keep_in_flight};
use rpc_runtime::{Broker, BrokerBuilder, Queue, Server};
use serde_bytes::ByteBuf;

/// How the broker at an address is connected to.
type Connecting = fn(&str) -> BrokerBuilder;

pub(crate) fn connecting(address: &str) -> BrokerBuilder {
    Broker::builder(address)
}

/// Over lapin, which takes the heartbeat from the address.
pub(crate) fn connecting_over_lapin(address: &str) -> BrokerBuilder {
    let address = address.to_owned();
    BrokerBuilder::over_lapin(move || {
        let address = address.clone();
        async move { lapin::Connection::connect(&address, lapin::ConnectionProperties::default()).await }
    })
}

pub(crate) async fn run(role: Role, connecting: Connecting) -> Result<(), Failure> {
    match role {
        Role::Server(arguments) => serve(arguments, connecting).await,
        Role::Client(arguments) => call(arguments, connecting).await,
    }
}

async fn serve(arguments: ServerArguments, connecting: Connecting) -> Result<(), Failure> {
    let broker = connecting(&arguments.common.url).connect().await?;
    // Expires by itself on a broker that is not thrown away.
    let queue = Queue::named(arguments.common.queue).argument("x-expires", 60_000);
    let server =
        Server::builder(&broker).service_on(queue, LeastServer::new(Worker)).start().await?;
    serving();
    terminated().await?;
    server.shutdown().await?;
    Ok(())
}

async fn call(arguments: ClientArguments, connecting: Connecting) -> Result<(), Failure> {
    let ClientArguments { common, load, no_confirms } = arguments;
    let broker = connecting(&common.url).confirms(!no_confirms).connect().await?;
    let client = LeastClient::builder(&broker).queue(common.queue).build();
    let report = if load.payload == NUMBER {
        increment(load, &client).await?
    } else {
        let sent = vec![0x5a; load.payload];
        let call = |_| {
            let call = client.echo(ByteBuf::from(sent.clone()));
            async move {
                let same = call.await?.len() == load.payload;
                if same { Ok(()) } else { Err("not the same bytes".into()) }
            }
        };
        keep_in_flight(load, call).await?
    };
    println!("{report}");
    Ok(())
}
