//! Generates the code of a service without faults.
//!
//! The names for users (the trait, `XClient`, `XServer`) are beside the trait. Everything else is in one anonymous
//! constant, where its names cannot clash, and contains only the differences between methods: generic functions of the
//! runtime do the work.

mod client;
mod descriptor;
mod forward;
mod marker;
mod server;
pub(crate) mod trait_;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::{
    attributes,
    model::{Method, Service},
};

/// All code for one service.
pub(crate) fn service(service: &Service<'_>, schemas: bool) -> TokenStream {
    let private = &service.private;
    let conditions = attributes::conditions(&service.written.attrs);
    let lints = allowed(service);

    let definition = trait_::definition(service.written);
    let client = client::declaration(service);
    let server = server::declaration(service);
    let forward = forward::implementation(service);
    let markers = service.methods.iter().map(|method| marker::declaration(service, method));
    let descriptors = descriptor::statics(service, schemas);
    let no_schema = schemas.then(|| no_schema(service));
    let client_methods = client::implementation(service);
    let server_methods = server::implementation(service);

    quote! {
        #definition
        #client
        #server
        #conditions
        #lints
        const _: () = {
            // Asks types whether they are a `Result`; the constant uses the import where all of them are.
            use #private::Fallback as _;
            const _: () = {
                let _ = #private::Probe::<()>::FALLIBLE;
            };
            #no_schema

            #forward
            #(#markers)*
            #descriptors
            #client_methods
            #server_methods
        };
    }
}

/// The trait behind types without a JSON Schema. One use of it avoids a warning if all types have schemas.
fn no_schema(service: &Service<'_>) -> TokenStream {
    let private = &service.private;
    quote! {
        use #private::NoSchema as _;
        const _: () = {
            let _ = #private::SchemaProbe::<#private::Broker>::schema;
        };
    }
}

/// The attributes of a generated type: the trait's conditions and deprecation.
fn of_type(service: &Service<'_>) -> TokenStream {
    let same = attributes::of_generated_type(&service.written.attrs);
    let lints = attributes::allowed_lints(&service.written.attrs);
    quote!(#same #lints #[allow(dead_code)])
}

/// Silences lints about unused code and style in generated code.
fn allowed(service: &Service<'_>) -> TokenStream {
    let written = attributes::allowed_lints(&service.written.attrs);
    let deprecated = deprecates_anything(service).then(|| quote!(deprecated,));
    quote! {
        #[allow(dead_code, #deprecated clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
        #written
    }
}

fn deprecates_anything(service: &Service<'_>) -> bool {
    attributes::deprecates(&service.written.attrs)
        || service.methods.iter().any(|method| attributes::deprecates(&method.written.attrs))
}

/// `(a, b,)`, or `()`.
fn tuple<T: ToTokens>(elements: impl IntoIterator<Item = T>) -> TokenStream {
    let elements = elements.into_iter();
    quote!((#(#elements,)*))
}

/// The names of a method's arguments in the server's closures.
fn places(method: &Method<'_>) -> Vec<syn::Ident> {
    let span = proc_macro2::Span::mixed_site();
    (0..method.arguments.len()).map(|index| quote::format_ident!("a{index}", span = span)).collect()
}
