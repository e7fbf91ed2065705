//! A marker type for each method. It passes the method's types to the generic functions of the runtime.
//!
//! Only this code requires that the types can be serialized. Each type is an associated type of its own with that bound, so
//! rustc reports each once and points at the author's token.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{
    attributes,
    model::{Method, Service},
};

// Input:
//     async fn fib(&self, n: u32) -> u64;
// Output:
//     struct __RpcMethod0;
//     impl Argument<0> for __RpcMethod0 { type Type = u32; }
//     const __RPC_FALLIBLE_0: bool = Probe::<u64>::FALLIBLE;
//     impl Method<__RPC_FALLIBLE_0> for __RpcMethod0 {
//         type Arguments = Arguments<Self, 1>;
//         type Output = u64;
//         const DESCRIPTOR: &'static MethodDescriptor = &__RPC_METHOD_0;
//         const CODEC: &'static MethodCodec<Self, __RPC_FALLIBLE_0> = {
//             static CODEC: MethodCodec<__RpcMethod0, __RPC_FALLIBLE_0> = MethodCodec::new();
//             &CODEC
//         };
//     }
pub(super) fn declaration(service: &Service<'_>, method: &Method<'_>) -> TokenStream {
    let private = &service.private;
    let Method { marker, fallible, descriptor, returns, .. } = method;
    let conditions = attributes::conditions(&method.written.attrs);
    let count = method.arguments.len();
    let arguments = method.arguments.iter().enumerate().map(|(index, argument)| {
        let ty = argument.ty;
        quote! {
            #conditions
            impl #private::Argument<#index> for #marker {
                type Type = #ty;
            }
        }
    });
    quote! {
        #conditions
        struct #marker;
        #conditions
        const #fallible: bool = #private::Probe::<#returns>::FALLIBLE;
        #(#arguments)*
        #conditions
        impl #private::Method<#fallible> for #marker {
            type Arguments = #private::Arguments<Self, #count>;
            type Output = #returns;
            const DESCRIPTOR: &'static #private::MethodDescriptor = &#descriptor;
            const CODEC: &'static #private::MethodCodec<Self, #fallible> = {
                static CODEC: #private::MethodCodec<#marker, #fallible> = #private::MethodCodec::new();
                &CODEC
            };
        }
    }
}
