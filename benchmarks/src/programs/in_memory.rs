//! Calls within the process: over the broker in memory, and over tarpc's channel.

use clap::Subcommand;
use rpc_benchmarks::arguments::Load;
use rpc_benchmarks::{Failure, LeastClient, LeastServer, Report, Worker, increment};
use rpc_runtime::{Broker, Server};

#[derive(Clone, Copy, Subcommand)]
pub(crate) enum Framework {
    /// Over the broker in memory.
    Ours(Load),
    /// Over tarpc's channel.
    Tarpc(Load),
}

pub(crate) async fn run(framework: Framework) -> Result<(), Failure> {
    let report = match framework {
        Framework::Ours(load) => ours(load).await?,
        Framework::Tarpc(load) => theirs::run(load).await?,
    };
    println!("{report}");
    Ok(())
}

async fn ours(load: Load) -> Result<Report, Failure> {
    let broker = Broker::in_memory();
    let server = Server::builder(&broker).service(LeastServer::new(Worker)).start().await?;
    let report = increment(load, &LeastClient::new(&broker)).await?;
    server.shutdown().await?;
    Ok(report)
}

mod theirs {
    use futures_util::StreamExt as _;
    use rpc_benchmarks::arguments::Load;
    use rpc_benchmarks::{Failure, Report, keep_in_flight};
    use tarpc::client;
    use tarpc::context::{self, Context};
    use tarpc::server::{BaseChannel, Channel as _};
    use tarpc::transport::channel;

    #[tarpc::service]
    trait Least {
        async fn inc(n: u64) -> u64;
    }

    #[derive(Clone)]
    struct Worker;

    impl Least for Worker {
        async fn inc(self, _: Context, n: u64) -> u64 {
            n.wrapping_add(1)
        }
    }

    /// As tarpc's own README has it.
    pub(super) async fn run(load: Load) -> Result<Report, Failure> {
        let (near, far) = channel::unbounded();
        let requests = BaseChannel::with_defaults(far).execute(Worker.serve());
        let server =
            tokio::spawn(requests.for_each(|request| async { drop(tokio::spawn(request)) }));
        let client = LeastClient::new(client::Config::default(), near).spawn();
        let call = |n| {
            let client = client.clone();
            async move {
                let next = client.inc(context::current(), n).await?;
                if next == n + 1 { Ok(()) } else { Err("not the next number".into()) }
            }
        };
        let report = keep_in_flight(load, call).await?;
        server.abort();
        Ok(report)
    }
}
