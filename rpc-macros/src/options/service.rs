//! The options of the trait: `#[rpc_service(…)]`.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

use super::{Given, Level, entry::entries, value};
use crate::{errors::Errors, model::Encoding};

#[derive(Default)]
pub(crate) struct ServiceOptions {
    pub(crate) name: Option<Given<String>>,
    pub(crate) queue: Option<Given<String>>,
    pub(crate) version: Option<Given<u32>>,
    pub(crate) timeout: Option<Given<Duration>>,
    pub(crate) encoding: Option<Given<Encoding>>,
    pub(crate) runtime: Option<Given<Path>>,
}

pub(crate) fn read(tokens: TokenStream, errors: &Errors) -> ServiceOptions {
    let mut options = ServiceOptions::default();
    for entry in entries(vec![tokens], Level::Service, errors) {
        match entry.key.to_string().as_str() {
            "name" => options.name = value::string(entry, "name = \"fibonacci\"", errors),
            "queue" => options.queue = value::string(entry, "queue = \"rpc_queue\"", errors),
            "version" => options.version = value::version(entry, errors),
            "timeout" => options.timeout = value::duration(entry, "timeout", errors),
            "encoding" => options.encoding = value::encoding(entry, errors),
            // `entries` lets no other key of this level through.
            _ => options.runtime = value::path(entry, errors),
        }
    }
    options
}

impl ServiceOptions {
    /// The path of the runtime's hidden module, which has everything that generated code names.
    pub(crate) fn private(&self) -> TokenStream {
        match &self.runtime {
            Some(Given { value: path, .. }) => quote!(#path::__private),
            None => quote!(::rpc_runtime::__private),
        }
    }
}
