//! TLS for `amqps://`: rustls, and verification that cannot be turned off.

#[cfg(feature = "tls")]
mod rustls;
#[cfg(not(feature = "tls"))]
mod without;

#[cfg(feature = "tls")]
pub(super) use self::rustls::Encryption;
#[cfg(not(feature = "tls"))]
pub(super) use self::without::Encryption;
