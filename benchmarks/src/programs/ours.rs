//! A service of rpc-runtime as in its README, and a client.

use rpc_benchmarks::arguments::{
    ClientArguments, NUMBER, Role, ServerArguments, serving, terminated,
};
use rpc_benchmarks::{Failure, LeastClient, LeastServer, Worker, increment, keep_in_flight};
use rpc_runtime::{Broker, Queue, Server};
use serde_bytes::ByteBuf;

pub(crate) async fn run(role: Role) -> Result<(), Failure> {
    match role {
        Role::Server(arguments) => serve(arguments).await,
        Role::Client(arguments) => call(arguments).await,
    }
}

async fn serve(arguments: ServerArguments) -> Result<(), Failure> {
    let broker = Broker::connect(&arguments.common.url).await?;
    // Expires by itself on a broker that is not thrown away.
    let queue = Queue::named(arguments.common.queue).argument("x-expires", 60_000);
    let server =
        Server::builder(&broker).service_on(queue, LeastServer::new(Worker)).start().await?;
    serving();
    terminated().await?;
    server.shutdown().await?;
    Ok(())
}

async fn call(arguments: ClientArguments) -> Result<(), Failure> {
    let ClientArguments { common, load, no_confirms } = arguments;
    let broker = Broker::builder(&common.url).confirms(!no_confirms).connect().await?;
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
