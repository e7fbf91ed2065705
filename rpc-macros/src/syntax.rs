//! The trait as written: enough structure to check it and to write it again. Nothing is checked here.
//!
//! Bodies stay tokens, because nothing depends on them. So a body may use syntax that this macro's parser does not know.

use proc_macro2::{Group, TokenStream, TokenTree};
use syn::{
    Attribute, FnArg, Generics, Ident, ReturnType, Signature, Token, Type, TypeParamBound,
    Visibility,
    ext::IdentExt as _,
    parse::{ParseStream, Parser as _},
    punctuated::Punctuated,
};

use crate::errors::{Errors, Fault};

/// A trait under `#[rpc_service]`.
pub(crate) struct ServiceTrait {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) unsafety: Option<Token![unsafe]>,
    pub(crate) auto: Option<Token![auto]>,
    pub(crate) trait_token: Token![trait],
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) supertraits: Punctuated<TypeParamBound, Token![+]>,
    pub(crate) items: Vec<TraitItem>,
}

/// An item of the trait.
pub(crate) enum TraitItem {
    Method(Box<TraitMethod>),
    /// A constant, a type, a macro, or syntax unknown to the parser.
    Other(Box<syn::TraitItem>),
}

/// A function of the trait.
pub(crate) struct TraitMethod {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) end: End,
}

/// The end of a method after its signature.
pub(crate) enum End {
    Semicolon(Token![;]),
    Body(Group),
}

impl ServiceTrait {
    /// Parses the item. Anything but a trait is reported and gives `None`.
    pub(crate) fn parse(item: &TokenStream, errors: &Errors) -> Option<Self> {
        match Self::parser.parse2(item.clone()) {
            Ok(written) => Some(written),
            Err(error) => {
                match other_item(item) {
                    Some(kind) => errors.push(not_a_trait(&kind)),
                    None => errors.push_syntax(error),
                }
                None
            }
        }
    }

    /// The methods, in order.
    pub(crate) fn methods(&self) -> impl Iterator<Item = &TraitMethod> {
        self.items.iter().filter_map(|item| match item {
            TraitItem::Method(method) => Some(&**method),
            TraitItem::Other(_) => None,
        })
    }

    fn parser(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let unsafety = input.parse()?;
        let auto = input.parse()?;
        let trait_token = input.parse()?;
        let ident = input.parse()?;
        let mut generics: Generics = input.parse()?;
        let colon: Option<Token![:]> = input.parse()?;
        let supertraits = if colon.is_some() { supertraits(input)? } else { Punctuated::new() };
        generics.where_clause = input.parse()?;
        let content;
        syn::braced!(content in input);
        let mut items = Vec::new();
        while !content.is_empty() {
            items.push(TraitItem::parse(&content)?);
        }
        Ok(Self { attrs, vis, unsafety, auto, trait_token, ident, generics, supertraits, items })
    }
}

fn supertraits(input: ParseStream<'_>) -> syn::Result<Punctuated<TypeParamBound, Token![+]>> {
    let mut bounds = Punctuated::new();
    while !input.peek(Token![where]) && !input.peek(syn::token::Brace) {
        bounds.push_value(input.parse()?);
        if !input.peek(Token![+]) {
            break;
        }
        bounds.push_punct(input.parse()?);
    }
    Ok(bounds)
}

impl TraitItem {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        ahead.call(Attribute::parse_outer)?;
        ahead.parse::<Visibility>()?;
        if ahead.parse::<Signature>().is_ok() {
            return TraitMethod::parse(input).map(|method| Self::Method(Box::new(method)));
        }
        Ok(Self::Other(Box::new(input.parse()?)))
    }
}

impl TraitMethod {
    /// The arguments after the receiver.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &syn::PatType> {
        self.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(argument) => Some(argument),
            FnArg::Receiver(_) => None,
        })
    }

    /// The result type, if one is written.
    pub(crate) fn returns(&self) -> Option<&Type> {
        match &self.sig.output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some(ty),
        }
    }

    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let sig = input.parse()?;
        let end = if input.peek(syn::token::Brace) {
            match input.parse::<TokenTree>()? {
                TokenTree::Group(body) => End::Body(body),
                other => return Err(syn::Error::new(other.span(), "expected a body")),
            }
        } else {
            End::Semicolon(input.parse()?)
        };
        Ok(Self { attrs, vis, sig, end })
    }
}

/// The keyword of an item that is not a trait.
fn other_item(item: &TokenStream) -> Option<Ident> {
    const KINDS: [&str; 11] = [
        "struct", "enum", "union", "impl", "fn", "mod", "type", "const", "static", "use", "extern",
    ];
    let ahead = |input: ParseStream<'_>| {
        input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        let mut word = input.call(Ident::parse_any)?;
        while ["unsafe", "async", "const", "default"].iter().any(|qualifier| word == qualifier)
            && let Ok(next) = input.call(Ident::parse_any)
            && KINDS.iter().any(|kind| next == kind)
        {
            word = next;
        }
        input.parse::<TokenStream>()?;
        Ok(word)
    };
    let word = ahead.parse2(item.clone()).ok()?;
    KINDS.iter().any(|kind| word == kind).then_some(word)
}

fn not_a_trait(kind: &Ident) -> Fault {
    let (article, noun) = match kind.to_string().as_str() {
        "struct" => ("a", "struct"),
        "enum" => ("an", "enum"),
        "union" => ("a", "union"),
        "impl" => ("an", "`impl` block"),
        "fn" => ("a", "function"),
        "mod" => ("a", "module"),
        "type" => ("a", "type alias"),
        "const" => ("a", "constant"),
        "static" => ("a", "static"),
        "use" => ("an", "import"),
        _ => ("an", "`extern` block"),
    };
    Fault::new(kind, format!("`#[rpc_service]` is on {article} {noun}, but belongs on a trait"))
        .note("the trait defines the methods; the client and the server are generated from it")
        .help("declare `#[rpc_service] trait Name { async fn method(&self, argument: u32) -> u32; }`, and implement it for your type")
}
