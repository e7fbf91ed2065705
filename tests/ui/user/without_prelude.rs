//! A program without the prelude.

#![no_implicit_prelude]
#![deny(warnings)]

/// Answers.
#[::rpc_runtime::rpc_service]
pub trait Answers {
    /// Asks.
    async fn ask(&self, question: ::std::string::String) -> ::std::result::Result<u32, ::std::string::String>;
}

struct Deep;

impl Answers for Deep {
    async fn ask(&self, question: ::std::string::String) -> ::std::result::Result<u32, ::std::string::String> {
        if question.is_empty() { ::std::result::Result::Err(question) } else { ::std::result::Result::Ok(42) }
    }
}

fn main() {
    let running = async {
        let client = AnswersClient::new(&::rpc_runtime::Broker::serving(AnswersServer::new(Deep)));
        client.ask(::std::format!("?")).await
    };
    let runtime = ::tokio::runtime::Builder::new_current_thread().enable_all().build();
    ::std::assert!(runtime.is_ok_and(|runtime| runtime.block_on(running).is_ok()));
}
