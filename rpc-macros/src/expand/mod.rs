//! The code of a service without a fault.
//!
//! What users name (the trait, `XClient`, `XServer`) stands beside the trait. Everything else is in one
//! anonymous constant, where its names meet no others, and says only what differs from method to method: the work is
//! done by generic functions of the runtime.

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

/// Everything that is written for one service.
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

/// What types have that have no JSON Schema; it is used where all of them do, too.
fn no_schema(service: &Service<'_>) -> TokenStream {
    let private = &service.private;
    quote! {
        use #private::NoSchema as _;
        const _: () = {
            let _ = #private::SchemaProbe::<#private::Broker>::schema;
        };
    }
}

/// The attributes of a generated type: there when the trait is, and deprecated with it.
fn of_type(service: &Service<'_>) -> TokenStream {
    let same = attributes::of_generated_type(&service.written.attrs);
    let lints = attributes::allowed_lints(&service.written.attrs);
    quote!(#same #lints #[allow(dead_code)])
}

/// What lints may not say about code that nobody wrote: that half of it is unused, or its style.
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

/// The names that the server's closures give to a method's arguments.
fn places(method: &Method<'_>) -> Vec<syn::Ident> {
    let span = proc_macro2::Span::mixed_site();
    (0..method.arguments.len()).map(|index| quote::format_ident!("a{index}", span = span)).collect()
}
