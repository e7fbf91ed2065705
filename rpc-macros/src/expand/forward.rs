//! Implements the trait for `Arc<S>`, so that a shared service is a service.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{
    attributes,
    expand::trait_::return_type,
    model::{Method, Service},
};

// Input:
//     async fn fib(&self, n: u32) -> u64;
// Output:
//     impl<S: Fibonacci> Fibonacci for Arc<S> {
//         fn fib(&self, n: u32) -> impl Future<Output = u64> + Send {
//             <S as Fibonacci>::fib(&**self, n)
//         }
//     }
pub(super) fn implementation(service: &Service<'_>) -> TokenStream {
    let ident = service.ident();
    let methods = service.methods.iter().map(|method| forward(service, method));
    quote! {
        #[automatically_derived]
        impl<__RpcService: #ident> #ident for ::std::sync::Arc<__RpcService> {
            #(#methods)*
        }
    }
}

fn forward(service: &Service<'_>, method: &Method<'_>) -> TokenStream {
    let (trait_ident, ident) = (service.ident(), method.ident());
    let conditions = attributes::conditions(&method.written.attrs);
    let parameters = method.arguments.iter().map(|argument| {
        let (name, ty) = (argument.ident, argument.ty);
        quote!(#name: #ty)
    });
    let names = method.arguments.iter().map(|argument| argument.ident);
    let output = return_type(method.written);
    quote! {
        #conditions
        fn #ident(&self, #(#parameters),*) #output {
            <__RpcService as #trait_ident>::#ident(&**self, #(#names),*)
        }
    }
}
