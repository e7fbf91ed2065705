trait Greeter: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn greet(
        &self,
        name: String,
    ) -> impl ::core::future::Future<Output = String> + ::core::marker::Send {
        async move { format!("hello, {name}") }
    }
}
#[allow(dead_code)]
///Calls the service [`Greeter`](trait@Greeter) from any process that reaches its broker.
///
///Each method of the trait is a method of the client. It returns a `Call`, which is sent when it is awaited.
///A clone is cheap, and shares the connection.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
struct GreeterClient {
    inner: ::rpc_runtime::__private::Client,
}
#[allow(dead_code)]
///Serves requests for the service [`Greeter`](trait@Greeter).
///
///Pass it to the builder of a server.
struct GreeterServer<S> {
    service: ::std::sync::Arc<S>,
}
#[allow(dead_code, clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
const _: () = {
    use ::rpc_runtime::__private::Fallback as _;
    const _: () = {
        let _ = ::rpc_runtime::__private::Probe::<()>::FALLIBLE;
    };
    #[automatically_derived]
    impl<__RpcService: Greeter> Greeter for ::std::sync::Arc<__RpcService> {
        fn greet(
            &self,
            name: String,
        ) -> impl ::core::future::Future<Output = String> + ::core::marker::Send {
            <__RpcService as Greeter>::greet(&**self, name)
        }
    }
    struct __RpcMethod0;
    const __RPC_FALLIBLE_0: bool = ::rpc_runtime::__private::Probe::<String>::FALLIBLE;
    impl ::rpc_runtime::__private::Argument<0usize> for __RpcMethod0 {
        type Type = String;
    }
    impl ::rpc_runtime::__private::Method<__RPC_FALLIBLE_0> for __RpcMethod0 {
        type Arguments = ::rpc_runtime::__private::Arguments<Self, 1usize>;
        type Output = String;
        const DESCRIPTOR: &'static ::rpc_runtime::__private::MethodDescriptor = &__RPC_METHOD_0;
        const CODEC: &'static ::rpc_runtime::__private::MethodCodec<
            Self,
            __RPC_FALLIBLE_0,
        > = {
            static CODEC: ::rpc_runtime::__private::MethodCodec<
                __RpcMethod0,
                __RPC_FALLIBLE_0,
            > = ::rpc_runtime::__private::MethodCodec::new();
            &CODEC
        };
    }
    static __RPC_METHOD_0: ::rpc_runtime::__private::MethodDescriptor = ::rpc_runtime::__private::method(::rpc_runtime::__private::MethodParts {
        name: "greet",
        doc: "",
        arguments: const { &[::rpc_runtime::__private::argument("name", "String")] },
        returns: "String",
        timeout: ::core::option::Option::None,
        oneway: false,
        blocking: false,
        idempotent: false,
        at_most_once: false,
        cacheable: ::core::option::Option::None,
        default: false,
        signature: || ::rpc_runtime::__private::signature_of(__RpcMethod0),
    });
    static __RPC_SERVICE: ::rpc_runtime::__private::ServiceDescriptor = ::rpc_runtime::__private::service(::rpc_runtime::__private::ServiceParts {
        name: "Greeter",
        version: ::core::option::Option::None,
        queue: "Greeter",
        encoding: ::rpc_runtime::__private::Encoding::Bincode,
        timeout: ::core::option::Option::None,
        doc: "",
        methods: &[&__RPC_METHOD_0],
    });
    impl GreeterClient {
        /// A client with the defaults of the trait.
        fn new(broker: &::rpc_runtime::__private::Broker) -> Self {
            Self::builder(broker).build()
        }
        /// A client with a timeout, an encoding, a queue or limits of its own.
        fn builder(
            broker: &::rpc_runtime::__private::Broker,
        ) -> ::rpc_runtime::__private::ClientBuilder<Self> {
            ::rpc_runtime::__private::client_builder(broker)
        }
        ///Calls the method `greet` of the service.
        fn greet(
            &self,
            name: String,
        ) -> ::rpc_runtime::__private::CallOf<String, __RPC_FALLIBLE_0> {
            ::rpc_runtime::__private::call(&self.inner, __RpcMethod0, (name,))
        }
    }
    #[automatically_derived]
    impl ::rpc_runtime::__private::Stub for GreeterClient {
        fn descriptor() -> &'static ::rpc_runtime::__private::ServiceDescriptor {
            &__RPC_SERVICE
        }
        fn from_client(inner: ::rpc_runtime::__private::Client) -> Self {
            Self { inner }
        }
    }
    impl<S: Greeter> GreeterServer<S> {
        /// Serves requests with `service`, which may be an `Arc`.
        fn new(service: S) -> Self {
            Self {
                service: ::std::sync::Arc::new(service),
            }
        }
    }
    #[automatically_derived]
    impl<S> ::core::fmt::Debug for GreeterServer<S> {
        fn fmt(
            &self,
            formatter: &mut ::core::fmt::Formatter<'_>,
        ) -> ::core::fmt::Result {
            formatter.debug_struct("GreeterServer").finish_non_exhaustive()
        }
    }
    #[automatically_derived]
    impl<__RpcService: Greeter> ::rpc_runtime::__private::Dispatch
    for GreeterServer<__RpcService> {
        fn descriptor(&self) -> &'static ::rpc_runtime::__private::ServiceDescriptor {
            &__RPC_SERVICE
        }
    }
    #[automatically_derived]
    impl<__RpcService: Greeter> ::rpc_runtime::__private::GeneratedServer
    for GreeterServer<__RpcService> {
        fn handlers(
            &self,
            _: ::rpc_runtime::__private::Internal,
        ) -> ::std::vec::Vec<::rpc_runtime::__private::Handler> {
            <::std::vec::Vec<
                _,
            > as ::core::convert::From<
                _,
            >>::from([
                ::rpc_runtime::__private::asynchronous(
                    __RpcMethod0,
                    &self.service,
                    |service: ::std::sync::Arc<__RpcService>, (a0,): (String,)| async move {
                        <__RpcService as Greeter>::greet(&service, a0).await
                    },
                ),
            ])
        }
    }
};
