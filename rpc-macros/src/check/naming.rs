//! Names on the wire: of the service, its queue and its methods.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt as _;

use super::{Draft, conditions, pairs};
use crate::{
    errors::{Errors, Fault},
    options::{Given, method::MethodOptions, service::ServiceOptions},
    syntax::{ServiceTrait, TraitMethod},
};

/// The length of AMQP's short strings, such as names of queues.
const LONGEST_QUEUE: usize = 255;
const LONGEST_METHOD: usize = 64;
/// Functions of every client. A method cannot have the same name.
const CONSTRUCTORS: &[&str] = &["new", "builder"];

/// The names of a service and its queue.
pub(super) struct ServiceNames {
    pub(super) name: String,
    pub(super) queue: String,
}

pub(super) fn of_service(
    written: &ServiceTrait,
    options: &ServiceOptions,
    errors: &Errors,
) -> ServiceNames {
    let name = text_or(options.name.as_ref(), &written.ident);
    let at = options
        .name
        .as_ref()
        .map_or_else(|| written.ident.to_token_stream(), |given| given.at.clone());
    let suffix =
        options.version.as_ref().map(|version| format!(".v{}", version.value)).unwrap_or_default();
    if let Some(queue) = &options.queue {
        check_queue(&queue.value, &queue.at, "queue", errors);
        check_length(&name, &at, "service", errors);
        return ServiceNames { name, queue: queue.value.clone() };
    }
    let queue = format!("{name}{suffix}");
    if check_length(&name, &at, "service", errors) {
        check_queue(&queue, &at, "service", errors);
    }
    ServiceNames { name, queue }
}

fn check_length(name: &str, at: &TokenStream, what: &str, errors: &Errors) -> bool {
    let fault = if name.is_empty() {
        Fault::new(at, format!("the name of a {what} cannot be empty")).help(
            "leave the option out: without it, a service and its queue are called like the trait",
        )
    } else if name.len() > LONGEST_QUEUE {
        Fault::new(at, format!("the name of this {what} is {} bytes long", name.len()))
            .note(format!("RabbitMQ accepts names of up to {LONGEST_QUEUE} bytes"))
            .help("shorten it")
    } else {
        return true;
    };
    errors.push(fault);
    false
}

fn check_queue(queue: &str, at: &TokenStream, what: &str, errors: &Errors) {
    if check_length(queue, at, what, errors) && queue.starts_with("amq.") {
        let fault = Fault::new(at, format!("a queue cannot be called {queue:?}"))
            .note("RabbitMQ reserves names that begin with `amq.`")
            .help("choose another beginning");
        errors.push(fault);
    }
}

/// The name of a method, if it is legal.
pub(super) fn of_method(
    written: &TraitMethod,
    options: &MethodOptions,
    errors: &Errors,
) -> Option<String> {
    let ident = &written.sig.ident;
    if CONSTRUCTORS.iter().any(|constructor| ident == constructor) {
        let fault = Fault::new(
            ident,
            format!("a method of a service cannot be called `{ident}`"),
        )
        .note(format!("the generated client has a constructor `{ident}`"))
        .help(format!(
            "give it another name in Rust; `#[rpc(name = \"{ident}\")]` keeps the one on the wire"
        ));
        errors.push(fault);
    }
    let name = text_or(options.name.as_ref(), ident);
    let legal = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    let reason = match name.chars().find(|letter| !legal(*letter)) {
        _ if name.is_empty() => "it is empty".to_owned(),
        Some(letter) => format!("it contains {letter:?}"),
        None if name.len() > LONGEST_METHOD => format!("it has {} letters", name.len()),
        None => return Some(name),
    };
    let rule = format!(
        "the name of a method on the wire has 1 to {LONGEST_METHOD} of the letters `A-Z`, `a-z`, `0-9`, `_` and `-`"
    );
    let fault = match &options.name {
        Some(given) => Fault::new(&given.at, format!("{name:?} cannot name a method: {reason}"))
            .note(rule)
            .help(match mended(&name) {
                Some(mended) => format!("write `name = \"{mended}\"`"),
                None => "leave `name` out to use the one in Rust, or choose another".to_owned(),
            }),
        None => Fault::new(ident, format!("`{name}` cannot name a method on the wire: {reason}"))
            .note(rule)
            .help("give it one with `#[rpc(name = \"…\")]`"),
    };
    errors.push(fault);
    None
}

/// The name with `-` in place of illegal characters, if the result is legal.
fn mended(name: &str) -> Option<String> {
    let legal = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let words: Vec<&str> =
        name.split(|letter| !legal(letter)).filter(|word| !word.is_empty()).collect();
    let mended = words.join("-");
    (!mended.is_empty() && mended.len() <= LONGEST_METHOD).then_some(mended)
}

/// Reports two methods of one name, also if `#[cfg]`s decide whether both exist.
pub(super) fn distinct_methods(drafts: &[Draft<'_>], errors: &Errors) {
    let named: Vec<Named<'_>> = drafts.iter().map(Named::new).collect();
    for (earlier, later) in pairs(&named).filter(|(earlier, later)| earlier.name == later.name) {
        let same_in_rust = earlier.draft.written.sig.ident == later.draft.written.sig.ident;
        if !same_in_rust {
            errors.push_if(&conditions(earlier.draft, later.draft), one_name(earlier, later));
        } else if conditions(earlier.draft, later.draft).is_empty() {
            errors.leave_to_rustc();
        }
    }
}

fn one_name(earlier: &Named<'_>, later: &Named<'_>) -> Fault {
    let name = &later.name;
    Fault::new(&later.at, format!("two methods are called `{name}` on the wire"))
        .note("a request finds its method by the name, so each needs its own")
        .help("change one: `#[rpc(name = \"…\")]`")
        .also(&earlier.at, format!("the other method called `{name}` is here"))
}

/// The name of a method on the wire, with its tokens.
struct Named<'a> {
    draft: &'a Draft<'a>,
    name: String,
    at: TokenStream,
}

impl<'a> Named<'a> {
    fn new(draft: &'a Draft<'a>) -> Self {
        let ident = &draft.written.sig.ident;
        let given = draft.options.name.as_ref();
        let at = given.map_or_else(|| ident.to_token_stream(), |given| given.at.clone());
        Self { draft, name: text_or(given, ident), at }
    }
}

fn text_or(given: Option<&Given<String>>, ident: &syn::Ident) -> String {
    given.map_or_else(|| ident.unraw().to_string(), |given| given.value.clone())
}
