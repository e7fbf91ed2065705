//! `rpc info`: the description of a service and its servers.

use std::{fmt::Write as _, time::Duration};

use rpc_runtime::discovery::InstanceInfo;
use serde::Serialize;

use super::connect;
use crate::{
    cli::{Global, Output, Service},
    document::named::{NamedType, NamedTypes},
    duration,
    failure::Failure,
    find::{self, Found},
    show::{Align, BOLD, DIM, Table, clean, json, line, options, short, signature},
};

/// The encoding whose signatures cover types.
const BINCODE: &str = "application/x-bincode";

/// The JSON output.
#[derive(Serialize)]
struct Described<'a> {
    service: &'a rpc_runtime::discovery::ServiceInfo,
    differences: &'a [String],
    servers: &'a [InstanceInfo],
}

pub(super) async fn run(global: &Global, service: &Service) -> Result<(), Failure> {
    let broker = connect(global).await?;
    let found = find::service(&broker, global, &service.name).await?;
    if global.output == Output::Json {
        return json(&Described {
            service: &found.service,
            differences: &found.differences,
            servers: &found.instances,
        });
    }
    line(described(&found))
}

/// The description for a person.
fn described(found: &Found) -> String {
    let Found { service, instances, differences } = found;
    let mut text = format!("{BOLD}{}{BOLD:#}\n", clean(&service.name));
    write_indented(&mut text, "  ", &service.doc);
    let mut facts = vec![format!("queue {}", service.queue), service.encoding.clone()];
    facts.extend(service.version.map(|version| format!("version {version}")));
    facts.extend((!service.exchange.is_empty()).then(|| format!("exchange {}", service.exchange)));
    let timeout = service.timeout_ms.map(Duration::from_millis);
    facts.extend(timeout.map(|timeout| format!("timeout {}", duration::show(timeout))));
    let _ = writeln!(text, "  {DIM}{}{DIM:#}\n", clean(&facts.join(" · ")));

    for method in &service.methods {
        let options = options(method);
        let beside =
            if options.is_empty() { String::new() } else { format!("  {}", options.join(", ")) };
        let _ = writeln!(text, "  {BOLD}{}{BOLD:#}{DIM}{beside}{DIM:#}", clean(&signature(method)));
        write_indented(&mut text, "      ", &method.doc);
        // JSON decodes by name, so it needs no signature.
        let unseen = method.unseen.iter().filter(|_| service.encoding == BINCODE);
        for part in unseen {
            let note = format!("bincode: a change inside {part} is not noticed");
            write_indented(&mut text, "      ", &note);
        }
    }
    write_types(&mut text, &NamedTypes::of(service));
    if !differences.is_empty() {
        let _ = writeln!(text, "\n  Its servers differ in {}.", clean(&differences.join(", ")));
        let claims = find::claims(instances, &service.name);
        for claim in claims.iter().filter(|_| claims.len() > 1) {
            let _ = writeln!(text, "  {}", clean(&claim.show()));
        }
    }
    let _ = write!(text, "\n{}", servers(instances));
    text
}

/// Writes the types of the methods.
fn write_types(text: &mut String, types: &NamedTypes) {
    /// Most types without a schema that are listed.
    const MOST: usize = 20;
    for NamedType { name, doc, shape } in &types.described {
        let mut lines = shape.lines();
        let first = clean(lines.next().unwrap_or_default());
        let _ = writeln!(text, "\n  {BOLD}{}{BOLD:#} = {first}", clean(name));
        write_indented(text, "  ", &lines.collect::<Vec<_>>().join("\n"));
        write_indented(text, "      ", doc);
    }
    if !types.undescribed.is_empty() {
        let mut names: Vec<&str> =
            types.undescribed.iter().take(MOST).map(String::as_str).collect();
        names.extend((types.undescribed.len() > MOST).then_some("…"));
        let note = format!(
            "No schema of {}: derive schemars::JsonSchema, and switch on rpc-runtime's feature schemars.",
            names.join(", ")
        );
        let _ = writeln!(text, "\n  {DIM}{}{DIM:#}", clean(&note));
    }
}

fn write_indented(text: &mut String, indentation: &str, written: &str) {
    for line in written.lines() {
        let _ = writeln!(text, "{}", format!("{indentation}{}", clean(line)).trim_end());
    }
}

fn servers(instances: &[InstanceInfo]) -> Table {
    let mut table = Table::new(&[
        ("INSTANCE", Align::Left),
        ("HOST", Align::Left),
        ("PROCESS", Align::Right),
        ("UP", Align::Right),
        ("CONCURRENCY", Align::Right),
        ("RUNTIME", Align::Left),
    ]);
    for instance in instances {
        table.row([
            short(&instance.instance),
            instance.host.clone(),
            instance.process.to_string(),
            duration::show(Duration::from_millis(instance.uptime_ms)),
            instance.limits.concurrency.to_string(),
            instance.runtime.clone(),
        ]);
    }
    table
}
