//! Words in a type that show that the type cannot be used in a service.

use proc_macro2::{Ident, TokenStream, TokenTree};

/// The telling words of a type, at any depth.
#[derive(Default)]
pub(crate) struct Words {
    pub(crate) impl_trait: Option<Ident>,
    pub(crate) self_type: Option<Ident>,
    pub(crate) inferred: Option<Ident>,
    pub(crate) borrows: bool,
    /// A collection without a stable order.
    pub(crate) hashed: Option<Ident>,
}

impl Words {
    pub(crate) fn find(tokens: TokenStream) -> Self {
        let mut words = Self::default();
        words.walk(tokens);
        words
    }

    fn walk(&mut self, tokens: TokenStream) {
        let mut after_quote = false;
        for token in tokens {
            let quote = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\'');
            match token {
                TokenTree::Group(group) => self.walk(group.stream()),
                TokenTree::Punct(punct) => self.borrows |= punct.as_char() == '&',
                TokenTree::Ident(name) if after_quote => self.borrows |= name != "static",
                TokenTree::Ident(word) if word == "impl" => self.impl_trait = Some(word),
                TokenTree::Ident(word) if word == "Self" => self.self_type = Some(word),
                TokenTree::Ident(word) if word == "_" => self.inferred = Some(word),
                TokenTree::Ident(word) if word == "HashMap" || word == "HashSet" => {
                    self.hashed = Some(word);
                }
                TokenTree::Ident(_) | TokenTree::Literal(_) => {}
            }
            after_quote = quote;
        }
    }
}
