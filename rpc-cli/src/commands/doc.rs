//! `rpc doc`: the documentation of a service.

use super::connect;
use crate::{
    cli::{DocArgs, DocFormat, Global, Output},
    document::{asyncapi, markdown},
    failure::Failure,
    find,
    show::{clean, indent, json, line},
};

pub(super) async fn run(global: &Global, arguments: &DocArgs) -> Result<(), Failure> {
    let broker = connect(global).await?;
    let service = find::service(&broker, global, &arguments.service).await?.service;
    match (arguments.format, global.output) {
        (DocFormat::Asyncapi, _) => {
            let document = asyncapi::document(&service);
            // Indented wherever it goes: it is a file that people read, and put under version control.
            line(clean(&indent(&document.to_string())))
        }
        (DocFormat::Markdown, Output::Json) => json(&service),
        (DocFormat::Markdown, Output::Text) => line(clean(markdown::document(&service).trim_end())),
    }
}
