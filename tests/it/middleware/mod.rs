//! Layers around calls and methods.

mod brokers;
mod errors;
mod ours;
mod requests;
mod tower_layers;

use std::time::Duration;

use rpc_runtime::Broker;
use rpc_runtime::middleware::{BoxError, Next, Reply, Request};
use tower::{Layer, Service};

use crate::brokers::{Pair, SampleClient};

/// Short compared to all timeouts.
const A_MOMENT: Duration = Duration::from_millis(50);

/// The bounds that `layer` requires, as one trait.
trait Fits:
    Layer<
        Next,
        Service: Service<Request, Response = Reply, Error: Into<BoxError>, Future: Send>
                     + Clone
                     + Send
                     + Sync
                     + 'static,
    >
{
}

impl<L> Fits for L where
    L: Layer<
            Next,
            Service: Service<Request, Response = Reply, Error: Into<BoxError>, Future: Send>
                         + Clone
                         + Send
                         + Sync
                         + 'static,
        >
{
}

/// A pair whose client has a layer.
async fn layered_client(broker: Broker, layer: impl Fits) -> Pair {
    let pair = Pair::new(broker).await;
    let client = SampleClient::builder(&pair.broker).queue(&pair.queue).layer(layer).build();
    Pair { client, ..pair }
}

/// A pair whose server has a layer.
async fn layered_server(broker: Broker, layer: impl Fits) -> Pair {
    Pair::with(broker, |server| server.layer(layer)).await
}
