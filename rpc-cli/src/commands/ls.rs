//! `rpc ls`: the services that have a running server.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{connect, discovery};
use crate::{
    cli::{Global, Output},
    failure::Failure,
    find::{no_answer, note_dropped},
    show::{Align, Table, json, line},
};

/// A service with the total over its servers.
#[derive(Debug, Default, Serialize)]
struct Listed {
    name: String,
    version: Option<u32>,
    queue: String,
    methods: usize,
    servers: usize,
    doc: String,
}

pub(super) async fn run(global: &Global) -> Result<(), Failure> {
    let broker = connect(global).await?;
    let asking = discovery(&broker, global, None);
    let instances = asking.info().await?;
    note_dropped(&asking);
    if instances.is_empty() {
        return Err(no_answer(global, None));
    }
    // Services of one name may use several queues.
    let mut services: BTreeMap<(String, String), Listed> = BTreeMap::new();
    for service in instances.into_iter().flat_map(|instance| instance.services) {
        let listed = services.entry((service.name.clone(), service.queue.clone())).or_default();
        *listed = Listed {
            servers: listed.servers + 1,
            methods: service.methods.len(),
            name: service.name,
            version: service.version,
            queue: service.queue,
            doc: service.doc,
        };
    }
    let services: Vec<Listed> = services.into_values().collect();
    if global.output == Output::Json {
        return json(&services);
    }
    let mut table = Table::new(&[
        ("SERVICE", Align::Left),
        ("VERSION", Align::Right),
        ("SERVERS", Align::Right),
        ("METHODS", Align::Right),
        ("QUEUE", Align::Left),
        ("ABOUT", Align::Left),
    ]);
    for service in services {
        let about = service.doc.lines().next().unwrap_or_default().to_owned();
        table.row([
            service.name,
            service.version.map_or("-".to_owned(), |version| version.to_string()),
            service.servers.to_string(),
            service.methods.to_string(),
            service.queue,
            about,
        ]);
    }
    line(table.to_string())
}
