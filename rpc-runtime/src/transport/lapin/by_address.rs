//! For the tests of this workspace: connects by address, but over lapin, if the environment asks for it. So every test against
//! RabbitMQ also tests lapin.

use std::sync::Arc;

use lapin::{Connection, ConnectionProperties, uri::AMQPUri};

use super::Connect;

/// Connects over lapin if `RPC_TEST_TRANSPORT` is `lapin`: to the first address that accepts the connection.
pub(crate) fn wanted(addresses: &[String], name: &str, heartbeat: u16) -> Option<Connect> {
    if std::env::var_os("RPC_TEST_TRANSPORT")? != "lapin" {
        return None;
    }
    let (addresses, name): (Arc<[String]>, Arc<str>) = (addresses.into(), name.into());
    Some(Arc::new(move || {
        let (addresses, name) = (addresses.clone(), name.clone());
        Box::pin(async move {
            let mut failed = None;
            for address in &*addresses {
                match connect(address, &name, heartbeat).await {
                    Ok(connection) => return Ok(connection),
                    Err(error) => failed = Some(error),
                }
            }
            Err(failed.unwrap_or_else(|| std::io::Error::other("there is no address").into()))
        })
    }))
}

async fn connect(address: &str, name: &str, heartbeat: u16) -> lapin::Result<Connection> {
    let mut uri: AMQPUri = address.parse().map_err(std::io::Error::other)?;
    uri.query.heartbeat.get_or_insert(heartbeat);
    if !address.split("://").nth(1).is_some_and(|rest| rest.contains('/')) {
        "/".clone_into(&mut uri.vhost);
    }
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    Connection::connect_uri(uri, properties).await
}
