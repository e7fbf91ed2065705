//! Calls within the process: over the broker in memory, and over tarpc's channel.

use clap::{Args, Subcommand};
use rpc_benchmarks::arguments::Load;
use rpc_benchmarks::{Failure, LeastClient, LeastServer, Report, Worker};
use rpc_benchmarks::{keep_in_flight, keep_in_tasks};
use rpc_runtime::{Broker, Server};

#[derive(Clone, Copy, Subcommand)]
pub(crate) enum Framework {
    /// Over the broker in memory.
    Ours(Calls),
    /// Over tarpc's channel.
    Tarpc(Calls),
}

/// Which calls to make, and where.
#[derive(Clone, Copy, Args)]
pub(crate) struct Calls {
    #[command(flatten)]
    load: Load,

    /// One after the other in each of as many tasks as are to be in flight, and not all from `main`.
    #[arg(long)]
    tasks: bool,
}

impl Calls {
    async fn make<C>(
        self,
        call: impl Fn(u64) -> C + Clone + Send + 'static,
    ) -> Result<Report, Failure>
    where
        C: Future<Output = Result<(), Failure>> + Send,
    {
        if self.tasks {
            keep_in_tasks(self.load, call).await
        } else {
            keep_in_flight(self.load, call).await
        }
    }
}

pub(crate) async fn run(framework: Framework) -> Result<(), Failure> {
    let report = match framework {
        Framework::Ours(calls) => ours(calls).await?,
        Framework::Tarpc(calls) => theirs::run(calls).await?,
    };
    println!("{report}");
    Ok(())
}

async fn ours(calls: Calls) -> Result<Report, Failure> {
    let broker = Broker::in_memory();
    let server = Server::builder(&broker).service(LeastServer::new(Worker)).start().await?;
    let client = LeastClient::new(&broker);
    let call = move |n| {
        let call = client.inc(n);
        async move { if call.await? == n + 1 { Ok(()) } else { Err("not the next number".into()) } }
    };
    let report = calls.make(call).await?;
    server.shutdown().await?;
    Ok(report)
}

mod theirs {
    use futures_util::StreamExt as _;
    use rpc_benchmarks::{Failure, Report};
    use tarpc::client;
    use tarpc::context::{self, Context};
    use tarpc::server::{BaseChannel, Channel as _};
    use tarpc::transport::channel;

    use super::Calls;

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
    pub(super) async fn run(calls: Calls) -> Result<Report, Failure> {
        let (near, far) = channel::unbounded();
        let requests = BaseChannel::with_defaults(far).execute(Worker.serve());
        let server =
            tokio::spawn(requests.for_each(|request| async { drop(tokio::spawn(request)) }));
        let client = LeastClient::new(client::Config::default(), near).spawn();
        let call = move |n| {
            let client = client.clone();
            async move {
                let next = client.inc(context::current(), n).await?;
                if next == n + 1 { Ok(()) } else { Err("not the next number".into()) }
            }
        };
        let report = calls.make(call).await?;
        server.abort();
        Ok(report)
    }
}
