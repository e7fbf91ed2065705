//! The macro as a function from the tokens of a trait to those of its service.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{check, errors::Errors, expand, fallback, options, syntax::ServiceTrait};

/// The whole macro, on tokens that also work outside the compiler. With `schemas`, descriptors contain JSON Schemas.
pub(crate) fn rpc_service_tokens(
    options: TokenStream,
    item: &TokenStream,
    schemas: bool,
) -> TokenStream {
    let errors = Errors::new();
    let Some(written) = ServiceTrait::parse(item, &errors) else {
        let faults = errors.into_compile_errors();
        return quote!(#item #faults);
    };
    let options = options::service::read(options, &errors);
    let service = check::service(&written, &options, &errors);
    match (service, errors.into_result()) {
        (Some(service), Ok(conditional_faults)) => {
            let code = expand::service(&service, schemas);
            quote!(#code #conditional_faults)
        }
        (None, Ok(faults)) | (_, Err(faults)) => {
            let code = fallback::service(&written, &options);
            quote!(#code #faults)
        }
    }
}
