//! `FibonacciServer`: finds the method of a request and calls it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use super::{places, tuple};
use crate::{
    attributes,
    model::{Kind, Method, Service},
};

/// The server's type.
pub(super) fn declaration(service: &Service<'_>) -> TokenStream {
    let (vis, server) = (service.vis(), &service.server);
    let attributes = super::of_type(service);
    let parameter = parameter(service);
    let doc = format!("Serves requests for the service [`{0}`](trait@{0}).", service.ident());
    quote! {
        #attributes
        #[doc = #doc]
        #[doc = ""]
        #[doc = "Pass it to the builder of a server."]
        #vis struct #server<#parameter> {
            service: ::std::sync::Arc<#parameter>,
        }
    }
}

/// Its constructor and its dispatch.
pub(super) fn implementation(service: &Service<'_>) -> TokenStream {
    let private = &service.private;
    let (vis, server, ident) = (service.vis(), &service.server, service.ident());
    let parameter = parameter(service);
    let name = server.to_string();
    let handlers = service.methods.iter().map(|method| handler(service, method));
    quote! {
        impl<#parameter: #ident> #server<#parameter> {
            /// Serves requests with `service`, which may be an `Arc`.
            #vis fn new(service: #parameter) -> Self {
                Self { service: ::std::sync::Arc::new(service) }
            }
        }

        // Not derived, because the service need not be `Debug`.
        #[automatically_derived]
        impl<#parameter> ::core::fmt::Debug for #server<#parameter> {
            fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                formatter.debug_struct(#name).finish_non_exhaustive()
            }
        }

        #[automatically_derived]
        impl<__RpcService: #ident> #private::Dispatch for #server<__RpcService> {
            fn descriptor(&self) -> &'static #private::ServiceDescriptor {
                &__RPC_SERVICE
            }
        }

        #[automatically_derived]
        impl<__RpcService: #ident> #private::GeneratedServer for #server<__RpcService> {
            fn handlers(&self, _: #private::Internal) -> ::std::vec::Vec<#private::Handler> {
                <::std::vec::Vec<_> as ::core::convert::From<_>>::from([#(#handlers),*])
            }
        }
    }
}

// Input:
//     async fn fib(&self, n: u32) -> u64;
// Output:
//     asynchronous(__RpcMethod0, &self.service, |service: Arc<S>, (a0,): (u32,)| async move {
//         <S as Fibonacci>::fib(&service, a0).await
//     })
fn handler(service: &Service<'_>, method: &Method<'_>) -> TokenStream {
    let private = &service.private;
    let (trait_ident, ident) = (service.ident(), method.ident());
    let marker = &method.marker;
    let conditions = attributes::conditions(&method.written.attrs);
    let places = places(method);
    let arguments = tuple(&places);
    let types = tuple(method.arguments.iter().map(|argument| argument.ty));
    match method.kind {
        Kind::Asynchronous(_) => quote! {
            #conditions
            #private::asynchronous(#marker, &self.service, |service: ::std::sync::Arc<__RpcService>, #arguments: #types| async move {
                <__RpcService as #trait_ident>::#ident(&service, #(#places),*).await
            })
        },
        Kind::Blocking => quote! {
            #conditions
            #private::blocking(#marker, &self.service, |service: &__RpcService, #arguments: #types| {
                <__RpcService as #trait_ident>::#ident(service, #(#places),*)
            })
        },
    }
}

/// `S`, unless the trait has that name. No other name of the author is used where it is in scope.
fn parameter(service: &Service<'_>) -> Ident {
    let name = if service.ident() == "S" { "Service" } else { "S" };
    Ident::new(name, proc_macro2::Span::call_site())
}
