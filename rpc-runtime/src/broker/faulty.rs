//! Brokers in the process with injected faults.

use std::sync::Arc;

use super::{Broker, BrokerBuilder};
use crate::{
    connection::Supervisor,
    server::Dispatch,
    testing::Faults,
    transport::{faults::FaultyTransport, memory::MemoryTransport},
};

impl Broker {
    /// A broker in this process whose messages and connection can fail on request: see [`Faults`].
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
    /// [`in_memory_with`](Self::in_memory_with).
    ///
    /// It has to be called within a tokio runtime.
    pub fn serving_with(service: impl Dispatch, faults: &Faults) -> Self {
        Self::in_memory_with(faults).serve(service)
    }
}
