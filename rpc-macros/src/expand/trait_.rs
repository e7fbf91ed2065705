//! The trait that users implement. It is generated for a faulty service too.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{FnArg, Pat, ReceiverKind, Safety, Signature, Token};

use crate::{
    attributes,
    syntax::{End, ServiceTrait, TraitItem, TraitMethod},
    words::Words,
};

// Input:
//     #[rpc_service]
//     pub trait Fibonacci {
//         /// The `n`-th number.
//         async fn fib(&self, n: u32) -> u64;
//     }
// Output:
//     pub trait Fibonacci: Send + Sync + 'static {
//         /// The `n`-th number.
//         fn fib(&self, n: u32) -> impl Future<Output = u64> + Send;
//     }
pub(crate) fn definition(written: &ServiceTrait) -> TokenStream {
    let ServiceTrait { vis, unsafety, trait_token, ident, generics, supertraits, .. } = written;
    let attrs = attributes::others(&written.attrs);
    let supertraits = supertraits.iter();
    let clause = &generics.where_clause;
    let items = written.items.iter().map(|item| match item {
        TraitItem::Method(method) => declaration(method),
        TraitItem::Other(item) => item.to_token_stream(),
    });
    quote! {
        #(#attrs)*
        #vis #unsafety #trait_token #ident #generics:
            #(#supertraits +)* ::core::marker::Send + ::core::marker::Sync + 'static
        #clause
        {
            #(#items)*
        }
    }
}

fn declaration(method: &TraitMethod) -> TokenStream {
    let attrs = attributes::others(&method.attrs);
    let vis = &method.vis;
    let head = head(&method.sig, matches!(method.end, End::Body(_)));
    let output = return_type(method);
    let clause = &method.sig.generics.where_clause;
    let end = match (&method.end, method.sig.asyncness) {
        (End::Semicolon(token), _) => token.to_token_stream(),
        (End::Body(body), None) => body.to_token_stream(),
        // The same as for an `async fn`, but the future has to be `Send`.
        (End::Body(body), Some(_)) => quote!({ async move #body }),
    };
    quote!(#(#attrs)* #vis #head #output #clause #end)
}

/// The result type of an implementation: a future for an `async fn`, else the type as written.
pub(super) fn return_type(method: &TraitMethod) -> TokenStream {
    match method.sig.asyncness {
        Some(token) => future(token, method),
        None => method.sig.output.to_token_stream(),
    }
}

// Input:
//     async fn fib(&self, n: u32) -> R
// Output:
//     fn fib(&self, n: u32)
fn head(sig: &Signature, has_body: bool) -> TokenStream {
    let Signature { safety, abi, fn_token, ident, generics, .. } = sig;
    let safety = match safety {
        Safety::Unsafe(token) => Some(token),
        Safety::Safe(_) | Safety::Default => None,
    };
    let inputs = sig
        .inputs
        .iter()
        .map(|input| if has_body { input.to_token_stream() } else { bodiless(input) });
    let (lt, params, gt) = (&generics.lt_token, &generics.params, &generics.gt_token);
    quote!(#safety #abi #fn_token #ident #lt #params #gt (#(#inputs),*))
}

/// An argument of a method without a body. rustc allows no patterns there, so one becomes a plain name: we report it ourselves.
fn bodiless(input: &FnArg) -> TokenStream {
    match input {
        FnArg::Receiver(receiver) => {
            let mut receiver = receiver.clone();
            if !matches!(receiver.kind, ReceiverKind::Reference(..)) {
                receiver.mutability = None;
            }
            receiver.to_token_stream()
        }
        FnArg::Typed(argument) => {
            let attrs = &argument.attrs;
            let (colon, ty) = (&argument.colon_token, &argument.ty);
            let name = match &*argument.pat {
                Pat::Ident(name) => name.ident.to_token_stream(),
                _ => quote!(_),
            };
            quote!(#(#attrs)* #name #colon #ty)
        }
    }
}

// Input:
//     async … -> R
// Output:
//     -> impl Future<Output = R> + Send
fn future(asyncness: Token![async], method: &TraitMethod) -> TokenStream {
    // The replacement has the span of `async`: rustc points there if the future is not `Send`, and the tokens of the method
    // stay together.
    let span = asyncness.span;
    let output = match method.returns() {
        Some(ty) => ty.to_token_stream(),
        None => quote_spanned!(method.sig.ident.span()=> ()),
    };
    let send = may_be_send(method).then(|| quote_spanned!(span=> + ::core::marker::Send));
    quote_spanned!(span=> -> impl ::core::future::Future<Output = #output> #send)
}

/// False for a faulty method whose arguments could make every future not `Send`, to avoid a second error.
fn may_be_send(method: &TraitMethod) -> bool {
    let generic = method.sig.generics.type_params().next().is_some();
    let opaque = method.arguments().any(|argument| {
        let words = Words::find(argument.ty.to_token_stream());
        words.impl_trait.is_some() || words.borrows
    });
    !generic && !opaque
}
