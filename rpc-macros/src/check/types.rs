//! Types that cannot be sent in a message, as far as their tokens show it.
//!
//! The compiler checks the rest, such as a missing `Serialize`, where the generated code names the type.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Type;

use crate::{
    errors::{Errors, Fault},
    tidy,
    words::Words,
};

/// Where a type is used.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Argument,
    Result,
}

impl Place {
    const fn noun(self) -> &'static str {
        match self {
            Self::Argument => "an argument",
            Self::Result => "a result",
        }
    }
}

pub(super) fn check(ty: &Type, place: Place, errors: &Errors) {
    let noun = place.noun();
    let tokens = ty.to_token_stream();
    let words = Words::find(tokens.clone());
    let fault = if let Some(token) = words.impl_trait {
        let help = match place {
            Place::Argument => "write the type out, or take an enum",
            Place::Result => "write the type out; an iterator goes as a `Vec`",
        };
        Fault::new(&token, format!("{noun} of a service cannot be an `impl Trait`"))
            .note("both sides have to know the type, and only one of them sees the body")
            .help(help)
    } else if let Some(token) = words.self_type {
        Fault::new(&token, format!("{noun} of a service cannot name `Self`"))
            .note("`Self` is the implementation, which callers do not have")
            .help("write the type out")
    } else if words.borrows {
        Fault::new(ty, format!("{noun} of a service cannot borrow"))
            .note("it is copied into a message and out of it again, in another process")
            .help(owned_remedy(ty, tokens))
    } else {
        if words.inferred.is_some() {
            errors.leave_to_rustc();
        }
        return;
    };
    errors.push(fault);
}

fn owned_remedy(ty: &Type, tokens: TokenStream) -> String {
    let owned = owned(tokens);
    match owned {
        Some(owned) => format!(
            "write `{}` instead of `{}`",
            tidy::text(&owned),
            tidy::text(ty)
        ),
        None => "use a type that owns what it holds, with `String` for `&str` and `Vec<T>` for `&[T]` in its fields, and no lifetime".to_owned(),
    }
}

/// The type with borrowed parts replaced by owned ones: `&str` by `String`, `&[T]` by `Vec<T>`, `&T` by `T`,
/// `Cow<'a, T>` by `Cow<'static, T>`. `None` if no replacement is known.
fn owned(tokens: TokenStream) -> Option<TokenStream> {
    let mut tokens = tokens.into_iter().peekable();
    let mut owned = TokenStream::new();
    let mut in_cow = false;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(sign) if sign.as_char() == '&' => {
                while let Some(part) = tokens.next_if(is_reference_part) {
                    if matches!(&part, TokenTree::Punct(sign) if sign.as_char() == '\'') {
                        // The name after the `'`.
                        tokens.next()?;
                    }
                }
                let referent = owned_referent(tokens.next()?)?;
                owned.extend(referent);
            }
            TokenTree::Punct(sign) if sign.as_char() == '\'' => {
                let name = tokens.next().filter(|_| in_cow)?;
                owned.extend([TokenTree::Punct(sign), Ident::new("static", name.span()).into()]);
            }
            TokenTree::Group(group) => {
                owned.extend([regrouped(&group, self::owned(group.stream())?)]);
            }
            TokenTree::Ident(word) => {
                in_cow = word == "Cow";
                owned.extend([TokenTree::Ident(word)]);
            }
            other => owned.extend([other]),
        }
    }
    Some(owned)
}

/// A token between `&` and the type: the `'` of a lifetime, `mut`, another `&`.
fn is_reference_part(token: &TokenTree) -> bool {
    match token {
        TokenTree::Punct(sign) => matches!(sign.as_char(), '\'' | '&'),
        TokenTree::Ident(word) => word == "mut",
        _ => false,
    }
}

fn owned_referent(referent: TokenTree) -> Option<TokenStream> {
    let span = referent.span();
    match referent {
        TokenTree::Ident(name) => {
            let owner = match name.to_string().as_str() {
                "str" => "String",
                "Path" => "PathBuf",
                "OsStr" => "OsString",
                "CStr" => "CString",
                "dyn" => return None,
                _ => return Some(name.to_token_stream()),
            };
            Some(Ident::new(owner, span).to_token_stream())
        }
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            let inner = owned(group.stream())?;
            let is_array = inner
                .clone()
                .into_iter()
                .any(|token| matches!(token, TokenTree::Punct(sign) if sign.as_char() == ';'));
            if is_array {
                return Some(regrouped(&group, inner).into());
            }
            let vec = Ident::new("Vec", Span::call_site());
            Some(quote::quote!(#vec<#inner>))
        }
        TokenTree::Group(group) => Some(regrouped(&group, owned(group.stream())?).into()),
        TokenTree::Punct(sign) if matches!(sign.as_char(), ',' | '>') => None,
        other => Some(other.into()),
    }
}

fn regrouped(group: &Group, stream: TokenStream) -> TokenTree {
    let mut regrouped = Group::new(group.delimiter(), stream);
    regrouped.set_span(group.span());
    TokenTree::Group(regrouped)
}

#[cfg(test)]
mod tests {
    use super::owned;
    use crate::tidy;

    #[test]
    fn borrowed_types_have_owned_ones() {
        for (borrowed, expected) in [
            ("&str", "String"),
            ("&'static str", "String"),
            ("&'a mut [u8]", "Vec<u8>"),
            ("&[&str]", "Vec<String>"),
            ("&[u8; 4]", "[u8; 4]"),
            ("Option<&Path>", "Option<PathBuf>"),
            ("&User", "User"),
            ("&&str", "String"),
            ("Cow<'_, str>", "Cow<'static, str>"),
            ("HashMap<&str, (u8, &[u8])>", "HashMap<String, (u8, Vec<u8>)>"),
        ] {
            let owned = borrowed.parse().ok().and_then(owned).map(|tokens| tidy::text(&tokens));
            assert_eq!(owned.as_deref(), Some(expected), "{borrowed}");
        }
    }

    #[test]
    fn no_owned_type_is_guessed() {
        for borrowed in ["&dyn Display", "&", "Option<&>", "MyError<'a>"] {
            assert!(borrowed.parse().ok().and_then(owned).is_none(), "{borrowed}");
        }
    }
}
