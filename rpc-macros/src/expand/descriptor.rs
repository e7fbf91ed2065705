//! Statics that describe the service.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;

use crate::{
    attributes,
    model::{Encoding, Method, Service},
    tidy,
};

/// One static for each method, and one for the service.
pub(super) fn statics(service: &Service<'_>, schemas: bool) -> TokenStream {
    let private = &service.private;
    let Service { name, queue, .. } = service;
    let version = option(service.version.map(|version| quote!(#version)));
    let timeout = option(service.timeout.map(duration));
    let doc = attributes::documentation(&service.written.attrs);
    let encoding = Ident::new(
        match service.encoding {
            Encoding::Bincode => "Bincode",
            Encoding::Json => "Json",
            Encoding::Text => "Text",
        },
        Span::call_site(),
    );
    let methods = service.methods.iter().map(|method| {
        let conditions = attributes::conditions(&method.written.attrs);
        let descriptor = &method.descriptor;
        quote!(#conditions &#descriptor)
    });
    let descriptors = service.methods.iter().map(|method| method_static(service, method, schemas));
    quote! {
        #(#descriptors)*
        static __RPC_SERVICE: #private::ServiceDescriptor = #private::service(#private::ServiceParts {
            name: #name,
            version: #version,
            queue: #queue,
            encoding: #private::Encoding::#encoding,
            timeout: #timeout,
            doc: #doc,
            methods: &[#(#methods),*],
        });
    }
}

// Input:
//     #[rpc(timeout = "5s")]
//     async fn fib(&self, n: u32) -> u64;
// Output:
//     static __RPC_METHOD_0: MethodDescriptor = method(MethodParts {
//         name: "fib",
//         arguments: const { &[argument("n", "u32")] },
//         returns: "u64",
//         timeout: Some(Duration::from_nanos(5000000000)),
//         …
//         signature: || signature_of(__RpcMethod0),
//     });
fn method_static(service: &Service<'_>, method: &Method<'_>, schemas: bool) -> TokenStream {
    let private = &service.private;
    let Method { marker, descriptor, wire_name, oneway, idempotent, at_most_once, default, .. } =
        method;
    let conditions = attributes::conditions(&method.written.attrs);
    let doc = attributes::documentation(&method.written.attrs);
    let arguments = method.arguments.iter().map(|argument| {
        let name = argument.ident.unraw().to_string();
        let ty = tidy::text(argument.ty);
        quote!(#private::argument(#name, #ty))
    });
    let returns = tidy::text(&method.returns);
    let timeout = option(method.timeout.map(duration));
    let cacheable = option(method.cacheable.map(duration));
    let blocking = method.kind == crate::model::Kind::Blocking;
    let schemas = schemas.then(|| schemas_of(service, method));
    quote! {
        #conditions
        static #descriptor: #private::MethodDescriptor = #private::method(#private::MethodParts {
            name: #wire_name,
            doc: #doc,
            arguments: const { &[#(#arguments),*] },
            returns: #returns,
            timeout: #timeout,
            oneway: #oneway,
            blocking: #blocking,
            idempotent: #idempotent,
            at_most_once: #at_most_once,
            cacheable: #cacheable,
            default: #default,
            signature: || #private::signature_of(#marker),
            #schemas
        });
    }
}

// Input:
//     async fn fib(&self, n: u32) -> u64;
// Output:
//     schemas: schemas(
//         &[SchemaProbe::<u32>::schema],
//         SchemaProbe::<ValueOf<u64, __RPC_FALLIBLE_0>>::schema,
//         SchemaProbe::<ErrorOf<u64, __RPC_FALLIBLE_0>>::schema,
//     ),
fn schemas_of(service: &Service<'_>, method: &Method<'_>) -> TokenStream {
    let private = &service.private;
    let Method { returns, fallible, .. } = method;
    let arguments = method.arguments.iter().map(|argument| argument.ty);
    quote! {
        schemas: #private::schemas(
            &[#(#private::SchemaProbe::<#arguments>::schema),*],
            #private::SchemaProbe::<#private::ValueOf<#returns, #fallible>>::schema,
            #private::SchemaProbe::<#private::ErrorOf<#returns, #fallible>>::schema,
        ),
    }
}

fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

fn duration(duration: Duration) -> TokenStream {
    // The longest duration of an option is far below the limit of a `u64`, 584 years.
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    quote!(::core::time::Duration::from_nanos(#nanos))
}
