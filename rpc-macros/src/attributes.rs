//! The attributes of the trait and its methods: which are ours, and which are copied to generated code.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Token, parse::Parser as _, punctuated::Punctuated};

/// Whether to leave the attribute out of the generated trait: it is ours, or would cause a second error for one fault.
fn is_ours(attribute: &Attribute) -> bool {
    let hidden = conditional(attribute).unwrap_or_default();
    attribute.path().is_ident("rpc")
        || is_service(attribute)
        || is_async_trait(attribute)
        || hidden.iter().any(|meta| meta.path().is_ident("rpc"))
}

/// Whether this is `#[rpc_service]`, under any path.
pub(crate) fn is_service(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == "rpc_service")
}

/// Whether this is `#[async_trait]`, under any path.
pub(crate) fn is_async_trait(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == "async_trait")
}

/// The attributes of the generated trait: all but ours.
pub(crate) fn others(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| !is_ours(attribute))
}

/// The `#[cfg]` attributes that a generated item needs to exist exactly when the method does.
pub(crate) fn conditions(attributes: &[Attribute]) -> TokenStream {
    carried(attributes, |name| name == "cfg")
}

/// The attributes that the client's method copies from the trait's.
///
/// Lint levels are copied too: an `#[allow(non_snake_case)]` on the trait's method also applies to the client's.
pub(crate) fn of_client_method(attributes: &[Attribute]) -> TokenStream {
    let same = carried(attributes, |name| matches!(name, "cfg" | "doc" | "deprecated" | "allow"));
    let expected = lint_levels(attributes, &["expect"]);
    quote!(#same #expected)
}

/// The attributes that the client and the server copy from the trait.
pub(crate) fn of_generated_type(attributes: &[Attribute]) -> TokenStream {
    carried(attributes, |name| matches!(name, "cfg" | "deprecated"))
}

/// Whether the author wrote any documentation.
pub(crate) fn is_documented(attributes: &[Attribute]) -> bool {
    !carried(attributes, |name| name == "doc").is_empty()
}

/// The lints that the author allowed for everything inside the trait.
pub(crate) fn allowed_lints(attributes: &[Attribute]) -> TokenStream {
    lint_levels(attributes, &["allow", "expect"])
}

/// Whether any of these is `#[deprecated]`. Then the generated code allows uses of deprecated items.
pub(crate) fn deprecates(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("deprecated")
            || conditional(attribute)
                .is_some_and(|inner| inner.iter().any(|meta| meta.path().is_ident("deprecated")))
    })
}

/// The text of the documentation comments, as markdown.
pub(crate) fn documentation(attributes: &[Attribute]) -> String {
    let lines: Vec<String> = attributes.iter().filter_map(documentation_line).collect();
    let indented = |line: &String| line.trim().is_empty() || line.starts_with(' ');
    let strip = usize::from(lines.iter().all(indented));
    let lines: Vec<&str> =
        lines.iter().map(|line| line.get(strip..).unwrap_or_default().trim_end()).collect();
    lines.join("\n").trim().to_owned()
}

fn documentation_line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    if !pair.path.is_ident("doc") {
        return None;
    }
    // `#[doc = include_str!(…)]` is not expanded yet; only rustdoc sees its text.
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value else {
        return None;
    };
    Some(text.value())
}

/// The attributes with a wanted name, also those inside a `cfg_attr`.
fn carried(attributes: &[Attribute], wanted: fn(&str) -> bool) -> TokenStream {
    let is_wanted =
        |path: &syn::Path| path.get_ident().is_some_and(|name| wanted(&name.to_string()));
    attributes
        .iter()
        .filter(|attribute| {
            is_wanted(attribute.path())
                || conditional(attribute)
                    .is_some_and(|inner| inner.iter().all(|meta| is_wanted(meta.path())))
        })
        .map(ToTokens::to_token_stream)
        .collect()
}

/// The lints of some level, as `#[allow(…)]`: generated code may not fulfil an expectation.
fn lint_levels(attributes: &[Attribute], levels: &[&str]) -> TokenStream {
    attributes
        .iter()
        .filter(|attribute| levels.iter().any(|level| attribute.path().is_ident(level)))
        .filter_map(|attribute| attribute.meta.require_list().ok())
        .map(|list| {
            let lints = &list.tokens;
            quote!(#[allow(#lints)])
        })
        .collect()
}

/// The attributes of a `cfg_attr`, after its condition.
pub(crate) fn conditional(attribute: &Attribute) -> Option<Vec<Meta>> {
    if !attribute.path().is_ident("cfg_attr") {
        return None;
    }
    let list = attribute.meta.require_list().ok()?;
    let metas = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(list.tokens.clone()).ok()?;
    Some(metas.into_iter().skip(1).collect())
}
