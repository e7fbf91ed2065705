//! `FibonacciClient`: the client of the service.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;

use super::tuple;
use crate::{
    attributes,
    model::{Method, Service},
};

/// The client's type.
pub(super) fn declaration(service: &Service<'_>) -> TokenStream {
    let private = &service.private;
    let (vis, client) = (service.vis(), &service.client);
    let attributes = super::of_type(service);
    let doc = format!(
        "Calls the service [`{0}`](trait@{0}) from any process that reaches its broker.",
        service.ident()
    );
    quote! {
        #attributes
        #[doc = #doc]
        #[doc = ""]
        #[doc = "Each method of the trait is a method of the client. It returns a `Call`, which is sent when it is awaited."]
        #[doc = "A clone is cheap, and shares the connection."]
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #vis struct #client {
            inner: #private::Client,
        }
    }
}

/// Its constructors and its methods.
pub(super) fn implementation(service: &Service<'_>) -> TokenStream {
    let private = &service.private;
    let (vis, client) = (service.vis(), &service.client);
    let methods = service.methods.iter().map(|method| call(service, method));
    quote! {
        impl #client {
            /// A client with the defaults of the trait.
            #vis fn new(broker: &#private::Broker) -> Self {
                Self::builder(broker).build()
            }

            /// A client with a timeout, an encoding, a queue or limits of its own.
            #vis fn builder(broker: &#private::Broker) -> #private::ClientBuilder<Self> {
                #private::client_builder(broker)
            }

            #(#methods)*
        }

        #[automatically_derived]
        impl #private::Stub for #client {
            fn descriptor() -> &'static #private::ServiceDescriptor {
                &__RPC_SERVICE
            }

            fn from_client(inner: #private::Client) -> Self {
                Self { inner }
            }
        }
    }
}

// Input:
//     async fn fib(&self, n: u32) -> R;
// Output:
//     pub fn fib(&self, n: u32) -> CallOf<R, __RPC_FALLIBLE_0> {
//         call(&self.inner, __RpcMethod0, (n,))
//     }
fn call(service: &Service<'_>, method: &Method<'_>) -> TokenStream {
    let private = &service.private;
    let (vis, ident) = (service.vis(), method.ident());
    let Method { marker, returns, fallible, .. } = method;
    let attributes = attributes::of_client_method(&method.written.attrs);
    let documentation = attributes::is_documented(&method.written.attrs)
        .then(TokenStream::new)
        .unwrap_or_else(|| {
            let doc = format!("Calls the method `{}` of the service.", ident.unraw());
            quote!(#[doc = #doc])
        });
    let parameters = method.arguments.iter().map(|argument| {
        let (name, ty) = (argument.ident, argument.ty);
        quote!(#name: #ty)
    });
    // Only the runtime can inspect the fields of argument types.
    let call = match method.cacheable {
        Some(_) if !method.arguments.is_empty() => quote!(call_cacheable),
        _ => quote!(call),
    };
    let arguments = tuple(method.arguments.iter().map(|argument| argument.ident));
    quote! {
        #attributes
        #documentation
        #vis fn #ident(&self, #(#parameters),*) -> #private::CallOf<#returns, #fallible> {
            #private::#call(&self.inner, #marker, #arguments)
        }
    }
}
