//! Brokers in the process with injected faults.

use std::sync::Arc;

use super::{Broker, BrokerBuilder};
use crate::{
    connection::Supervisor,
    server::Dispatch,
    testing::Faults,
    transport::{faults::FaultyTransport, memory::MemoryTransport},
};

impl BrokerBuilder {
    /// As [`in_memory`](Self::in_memory), for a broker that messages and the connection can be made to fail on: see
    /// [`Faults`]. It takes the feature `testing`.
    ///
    /// While the faults [refuse connections](Faults::refuse_connections), [`connect`](Self::connect) tries again and
    /// gives up as with RabbitMQ: [`connect_timeout`](Self::connect_timeout), [`wait_for_broker`](Self::wait_for_broker)
    /// and [`max_attempts`](Self::max_attempts) say when.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// use rpc_runtime::{BrokerBuilder, testing::Faults};
    ///
    /// let faults = Faults::new();
    /// faults.refuse_connections();
    /// let builder = BrokerBuilder::in_memory_with(&faults).max_attempts(3);
    /// assert!(builder.connect().await.is_err());
    /// # }
    /// ```
    pub fn in_memory_with(faults: &Faults) -> Self {
        let faults = faults.clone();
        Self::over(move || {
            let memory = Arc::new(MemoryTransport::default());
            Arc::new(FaultyTransport::new(memory, faults.injected().clone()))
        })
    }
}

impl Broker {
    /// A broker in this process whose messages and connection can fail on request: see [`Faults`]. It needs the feature
    /// `testing`. [`BrokerBuilder::in_memory_with`] makes one with options.
    ///
    /// It has to be called within a tokio runtime.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use rpc_runtime::{Broker, testing::Faults};
    ///
    /// let faults = Faults::new();
    /// let broker = Broker::in_memory_with(&faults);
    /// # }
    /// ```
    pub fn in_memory_with(faults: &Faults) -> Self {
        let (memory, injected) = (MemoryTransport::default(), faults.injected());
        let first = (!injected.is_refusing()).then(|| injected.around(memory.connection()));
        let transport = Arc::new(FaultyTransport::new(Arc::new(memory), injected.clone()));
        let supervisor = match first {
            Some(connection) => Supervisor::up(transport, connection),
            None => Supervisor::new(transport, None, None),
        };
        supervisor.start();
        BrokerBuilder::new("").build_on(supervisor)
    }

    /// A broker in this process with one service on it, and with [`Faults`]: see [`serving`](Self::serving) and
    /// [`in_memory_with`](Self::in_memory_with). It takes the feature `testing`.
    ///
    /// It has to be called within a tokio runtime.
    pub fn serving_with(service: impl Dispatch, faults: &Faults) -> Self {
        Self::in_memory_with(faults).serve(service)
    }
}
