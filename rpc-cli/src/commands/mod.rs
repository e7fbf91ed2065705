//! The commands, one file each.

mod bench;
mod call;
mod completion;
mod doc;
mod info;
mod ls;
mod ping;
mod stats;
mod target;
mod top;

use rpc_runtime::{Broker, Tls, discovery::Discovery};

use crate::{
    cli::{Cli, Command, Global},
    failure::{Failure, Kind},
};

pub(crate) async fn run(cli: Cli) -> Result<(), Failure> {
    let global = &cli.global;
    match &cli.command {
        Command::Ls => ls::run(global).await,
        Command::Info(service) => info::run(global, service).await,
        Command::Ping(chosen) => ping::run(global, chosen).await,
        Command::Stats(arguments) => stats::run(global, arguments).await,
        Command::Top(arguments) => top::run(global, arguments).await,
        Command::Call(arguments) => call::run(global, arguments).await,
        Command::Bench(arguments) => bench::run(global, arguments).await,
        Command::Doc(arguments) => doc::run(global, arguments).await,
        Command::Completion { shell } => completion::run(*shell),
    }
}

async fn connect(global: &Global) -> Result<Broker, Failure> {
    let mut builder = Broker::builder(&global.address()?)
        .name("rpc")
        .connect_timeout(global.wait)
        .wait_for_broker(global.wait);
    if !global.anonymous {
        builder = builder.announce_user();
    }
    if let Some(exchange) = &global.exchange {
        builder = builder.exchange(exchange);
    }
    if let Some(path) = &global.ca {
        let pem = tokio::fs::read(path).await.map_err(|error| {
            Failure::new(Kind::Usage, format!("{} cannot be read: {error}", path.display()))
        })?;
        builder = builder.tls(Tls::new().roots(pem));
    }
    Ok(builder.connect().await?)
}

/// A discovery that asks all servers, or the servers of one service.
fn discovery(broker: &Broker, global: &Global, service: Option<&str>) -> Discovery {
    let discovery = Discovery::new(broker).timeout(global.wait);
    match service {
        Some(name) => discovery.service(name),
        None => discovery,
    }
}
