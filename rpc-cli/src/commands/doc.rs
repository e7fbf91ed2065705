//! `rpc doc`: the documentation of a service.

use super::connect;
use crate::{
    cli::{DocArgs, DocFormat, Global, Output},
    document::{asyncapi, markdown},
    failure::Failure,
    find,
    show::{clean_json, clean_lines, indent, json, line, warning},
};

pub(super) async fn run(global: &Global, arguments: &DocArgs) -> Result<(), Failure> {
    let broker = connect(global).await?;
    let found = find::service(&broker, global, &arguments.service).await?;
    if !found.differences.is_empty() {
        let differences = found.differences.join(", ");
        warning(&format!(
            "its servers differ in {differences}; this is the description of one of them"
        ));
    }
    let service = found.service;
    match (arguments.format, global.output) {
        (DocFormat::Asyncapi, _) => {
            let document = asyncapi::document(&service);
            // Always indented: people read the file and put it under version control.
            line(clean_json(&indent(&document.to_string())))
        }
        (DocFormat::Markdown, Output::Json) => json(&service),
        (DocFormat::Markdown, Output::Text) => {
            line(clean_lines(markdown::document(&service).trim_end()))
        }
    }
}
