//! Why a channel or a connection has ended.

use std::{io, sync::Arc};

use crate::protocol::CloseReason;

/// Why a channel or a connection ended, or why the broker did not execute a method.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The broker closed the channel because it refused something that was sent on it.
    #[error("the broker closed the channel: {0}")]
    ChannelClosed(CloseReason),
    /// The broker closed the connection.
    #[error("the broker closed the connection: {0}")]
    ConnectionClosed(CloseReason),
    /// This program closed it.
    #[error("this program closed it")]
    Closed,
    /// The connection has reached its limit of channels.
    #[error("all {0} channels of the connection are in use")]
    NoChannel(u16),
    /// The connection was lost, or the broker did not reply.
    #[error("the connection was lost")]
    Lost(#[source] Arc<io::Error>),
}

impl Error {
    /// The broker sent another reply than expected.
    pub(crate) fn out_of_turn() -> Self {
        let error = io::Error::new(io::ErrorKind::InvalidData, "the broker spoke out of turn");
        Self::Lost(Arc::new(error))
    }
}
