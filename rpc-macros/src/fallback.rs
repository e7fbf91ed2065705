//! The code of a faulty service: enough that rustc finds every name and adds no errors to ours.
//!
//! It never runs, because the faults stop the compilation. So it need not be correct, only well-typed for as many traits
//! and uses as possible.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{GenericArgument, GenericParam, PathArguments, Type};

use crate::{
    attributes,
    expand::trait_,
    options::service::ServiceOptions,
    syntax::{ServiceTrait, TraitMethod},
    words::Words,
};

/// The trait, and a client and a server whose methods do nothing.
pub(crate) fn service(written: &ServiceTrait, options: &ServiceOptions) -> TokenStream {
    let private = options.private();
    let (vis, ident) = (&written.vis, &written.ident);
    let (client, server) = (format_ident!("{ident}Client"), format_ident!("{ident}Server"));
    let definition = trait_::definition(written);
    let conditions = attributes::conditions(&written.attrs);
    let mut names = Vec::new();
    let methods: Vec<TokenStream> = written
        .methods()
        .filter(|method| {
            let name = &method.sig.ident;
            let usable = name != "new" && name != "builder" && !names.contains(&name);
            names.push(name);
            usable
        })
        .map(|method| call(method, written, &private))
        .collect();
    quote! {
        #definition

        #conditions
        #[doc(hidden)]
        #[allow(warnings)]
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #vis struct #client;

        #conditions
        #[doc(hidden)]
        #[allow(warnings)]
        #[derive(::core::fmt::Debug)]
        #vis struct #server<S>(::core::marker::PhantomData<fn() -> S>);

        #conditions
        #[allow(warnings, clippy::all)]
        const _: () = {
            impl #client {
                #vis fn new(_: &#private::Broker) -> Self {
                    loop {}
                }
                #vis fn builder(_: &#private::Broker) -> #private::ClientBuilder<Self> {
                    loop {}
                }
                #(#methods)*
            }
            impl #private::Stub for #client {
                fn descriptor() -> &'static #private::ServiceDescriptor {
                    loop {}
                }
                fn from_client(_: #private::Client) -> Self {
                    loop {}
                }
            }
            impl<S> #server<S> {
                #vis fn new(_: S) -> Self {
                    loop {}
                }
            }
            impl<S: 'static> #private::Dispatch for #server<S> {
                fn descriptor(&self) -> &'static #private::ServiceDescriptor {
                    loop {}
                }
            }
            impl<S: 'static> #private::GeneratedServer for #server<S> {
                fn handlers(&self, _: #private::Internal) -> ::std::vec::Vec<#private::Handler> {
                    loop {}
                }
            }
        };
    }
}

/// The client's method: it has the arguments of the trait's, and returns a `Call` with the value and error of its result.
fn call(method: &TraitMethod, written: &ServiceTrait, private: &TokenStream) -> TokenStream {
    let (vis, ident) = (&written.vis, &method.sig.ident);
    let conditions = attributes::conditions(&method.attrs);
    let (lifetimes, others): (Vec<_>, Vec<_>) = written
        .generics
        .params
        .iter()
        .chain(&method.sig.generics.params)
        .partition(|parameter| matches!(parameter, GenericParam::Lifetime(_)));
    let parameters = method.arguments().map(|argument| {
        let ty = acceptable(&argument.ty);
        quote!(_: #ty)
    });
    let (value, error) = outcome(method.returns());
    quote! {
        #conditions
        #vis fn #ident<#(#lifetimes,)* #(#others),*>(&self, #(#parameters),*) -> #private::Call<#value, #error> {
            loop {}
        }
    }
}

/// The type, or one that accepts every value if the type would mean something else here.
fn acceptable(ty: &Type) -> TokenStream {
    let words = Words::find(ty.to_token_stream());
    if words.self_type.is_some() || words.inferred.is_some() {
        quote!(impl ::core::marker::Sized)
    } else {
        ty.to_token_stream()
    }
}

/// The value and error of a result type. Here the name `Result` is enough, because no fault depends on it.
fn outcome(returns: Option<&Type>) -> (TokenStream, TokenStream) {
    let infallible = quote!(::core::convert::Infallible);
    let Some(ty) = returns else {
        return (quote!(()), infallible);
    };
    if let Type::Path(path) = ty
        && let Some(last) = path.path.segments.last().filter(|last| last.ident == "Result")
        && let PathArguments::AngleBracketed(arguments) = &last.arguments
        && let [GenericArgument::Type(value), GenericArgument::Type(error)] =
            arguments.args.iter().collect::<Vec<_>>()[..]
    {
        return (nameable(value), nameable(error));
    }
    (nameable(ty), infallible)
}

fn nameable(ty: &Type) -> TokenStream {
    let words = Words::find(ty.to_token_stream());
    if words.self_type.is_some() || words.inferred.is_some() || words.impl_trait.is_some() {
        quote!(())
    } else {
        ty.to_token_stream()
    }
}
