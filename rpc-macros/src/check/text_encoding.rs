//! `encoding = "text"` carries one scalar each way.

use syn::{GenericArgument, PathArguments, Type};

use crate::{
    errors::{Errors, Fault},
    model::Encoding,
    options::Given,
    syntax::ServiceTrait,
    tidy,
};

/// Types that are never a scalar.
const COLLECTIONS: &[&str] =
    &["Vec", "VecDeque", "HashMap", "HashSet", "BTreeMap", "BTreeSet", "LinkedList", "BinaryHeap"];

const RULE: &str =
    "in text, a message is one string, character, boolean or number in its plain form";
const REMEDY: &str = "choose `encoding = \"json\"`, or change the method";

pub(super) fn check(written: &ServiceTrait, encoding: Option<&Given<Encoding>>, errors: &Errors) {
    let Some(encoding) = encoding.filter(|given| given.value == Encoding::Text) else {
        return;
    };
    for method in written.methods() {
        if let Some(second) = method.arguments().nth(1) {
            let what =
                format!("`{}` has several arguments, which text cannot carry", method.sig.ident);
            let fault = Fault::new(second, what)
                .note(RULE)
                .help(REMEDY)
                .also(&encoding.at, "the encoding is chosen here");
            errors.push(fault);
            continue;
        }
        let argument = method.arguments().next().map(|argument| &*argument.ty);
        for ty in argument.into_iter().chain(method.returns().map(value)) {
            if is_compound(ty) {
                let fault = Fault::new(ty, format!("text cannot carry `{}`", tidy::text(ty)))
                    .note(RULE)
                    .help(REMEDY)
                    .also(&encoding.at, "the encoding is chosen here");
                errors.push(fault);
            }
        }
    }
}

/// The `T` of a type that looks like `Result<T, E>`; otherwise the type itself.
fn value(ty: &Type) -> &Type {
    let Type::Path(path) = ty else { return ty };
    let Some(last) = path.path.segments.last().filter(|last| last.ident == "Result") else {
        return ty;
    };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return ty;
    };
    match arguments.args.first() {
        Some(GenericArgument::Type(value)) => value,
        _ => ty,
    }
}

fn is_compound(ty: &Type) -> bool {
    match ty {
        Type::Tuple(tuple) => !tuple.elems.is_empty(),
        Type::Array(_) | Type::Slice(_) => true,
        Type::Group(group) => is_compound(&group.elem),
        Type::Paren(paren) => is_compound(&paren.elem),
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|last| COLLECTIONS.iter().any(|collection| last.ident == collection)),
        _ => false,
    }
}
