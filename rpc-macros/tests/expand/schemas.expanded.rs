pub trait Orders: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn place(
        &self,
        order: Order,
        urgent: bool,
    ) -> impl ::core::future::Future<
        Output = Result<Receipt, Refusal>,
    > + ::core::marker::Send;
}
#[allow(dead_code)]
///Calls the service [`Orders`](trait@Orders) from any process that reaches its broker.
///
///Each method of the trait is a method of the client. It returns a `Call`, which is sent when it is awaited.
///A clone is cheap, and shares the connection.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct OrdersClient {
    inner: ::rpc_runtime::__private::Client,
}
#[allow(dead_code)]
///Serves requests for the service [`Orders`](trait@Orders).
///
///Pass it to the builder of a server.
pub struct OrdersServer<S> {
    service: ::std::sync::Arc<S>,
}
#[allow(dead_code, clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
const _: () = {
    use ::rpc_runtime::__private::Fallback as _;
    const _: () = {
        let _ = ::rpc_runtime::__private::Probe::<()>::FALLIBLE;
    };
    use ::rpc_runtime::__private::NoSchema as _;
    const _: () = {
        let _ = ::rpc_runtime::__private::SchemaProbe::<
            ::rpc_runtime::__private::Broker,
        >::schema;
    };
    #[automatically_derived]
    impl<__RpcService: Orders> Orders for ::std::sync::Arc<__RpcService> {
        fn place(
            &self,
            order: Order,
            urgent: bool,
        ) -> impl ::core::future::Future<
            Output = Result<Receipt, Refusal>,
        > + ::core::marker::Send {
            <__RpcService as Orders>::place(&**self, order, urgent)
        }
    }
    struct __RpcMethod0;
    const __RPC_FALLIBLE_0: bool = ::rpc_runtime::__private::Probe::<
        Result<Receipt, Refusal>,
    >::FALLIBLE;
    impl ::rpc_runtime::__private::Argument<0usize> for __RpcMethod0 {
        type Type = Order;
    }
    impl ::rpc_runtime::__private::Argument<1usize> for __RpcMethod0 {
        type Type = bool;
    }
    impl ::rpc_runtime::__private::Method<__RPC_FALLIBLE_0> for __RpcMethod0 {
        type Arguments = ::rpc_runtime::__private::Arguments<Self, 2usize>;
        type Output = Result<Receipt, Refusal>;
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
        name: "place",
        doc: "",
        arguments: const {
            &[
                ::rpc_runtime::__private::argument("order", "Order"),
                ::rpc_runtime::__private::argument("urgent", "bool"),
            ]
        },
        returns: "Result<Receipt, Refusal>",
        timeout: ::core::option::Option::None,
        oneway: false,
        blocking: false,
        idempotent: false,
        at_most_once: false,
        cacheable: ::core::option::Option::None,
        default: false,
        signature: || ::rpc_runtime::__private::signature_of(__RpcMethod0),
        schemas: ::rpc_runtime::__private::schemas(
            &[
                ::rpc_runtime::__private::SchemaProbe::<Order>::schema,
                ::rpc_runtime::__private::SchemaProbe::<bool>::schema,
            ],
            ::rpc_runtime::__private::SchemaProbe::<
                ::rpc_runtime::__private::ValueOf<
                    Result<Receipt, Refusal>,
                    __RPC_FALLIBLE_0,
                >,
            >::schema,
            ::rpc_runtime::__private::SchemaProbe::<
                ::rpc_runtime::__private::ErrorOf<
                    Result<Receipt, Refusal>,
                    __RPC_FALLIBLE_0,
                >,
            >::schema,
        ),
    });
    static __RPC_SERVICE: ::rpc_runtime::__private::ServiceDescriptor = ::rpc_runtime::__private::service(::rpc_runtime::__private::ServiceParts {
        name: "Orders",
        version: ::core::option::Option::None,
        queue: "Orders",
        encoding: ::rpc_runtime::__private::Encoding::Bincode,
        timeout: ::core::option::Option::None,
        doc: "",
        methods: &[&__RPC_METHOD_0],
    });
    impl OrdersClient {
        /// A client with the defaults of the trait.
        pub fn new(broker: &::rpc_runtime::__private::Broker) -> Self {
            Self::builder(broker).build()
        }
        /// A client with a timeout, an encoding, a queue or limits of its own.
        pub fn builder(
            broker: &::rpc_runtime::__private::Broker,
        ) -> ::rpc_runtime::__private::ClientBuilder<Self> {
            ::rpc_runtime::__private::client_builder(broker)
        }
        ///Calls the method `place` of the service.
        pub fn place(
            &self,
            order: Order,
            urgent: bool,
        ) -> ::rpc_runtime::__private::CallOf<
            Result<Receipt, Refusal>,
            __RPC_FALLIBLE_0,
        > {
            ::rpc_runtime::__private::call(&self.inner, __RpcMethod0, (order, urgent))
        }
    }
    #[automatically_derived]
    impl ::rpc_runtime::__private::Stub for OrdersClient {
        fn descriptor() -> &'static ::rpc_runtime::__private::ServiceDescriptor {
            &__RPC_SERVICE
        }
        fn from_client(inner: ::rpc_runtime::__private::Client) -> Self {
            Self { inner }
        }
    }
    impl<S: Orders> OrdersServer<S> {
        /// Serves requests with `service`, which may be an `Arc`.
        pub fn new(service: S) -> Self {
            Self {
                service: ::std::sync::Arc::new(service),
            }
        }
    }
    #[automatically_derived]
    impl<S> ::core::fmt::Debug for OrdersServer<S> {
        fn fmt(
            &self,
            formatter: &mut ::core::fmt::Formatter<'_>,
        ) -> ::core::fmt::Result {
            formatter.debug_struct("OrdersServer").finish_non_exhaustive()
        }
    }
    #[automatically_derived]
    impl<__RpcService: Orders> ::rpc_runtime::__private::Dispatch
    for OrdersServer<__RpcService> {
        fn descriptor(&self) -> &'static ::rpc_runtime::__private::ServiceDescriptor {
            &__RPC_SERVICE
        }
    }
    #[automatically_derived]
    impl<__RpcService: Orders> ::rpc_runtime::__private::GeneratedServer
    for OrdersServer<__RpcService> {
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
                    |service: ::std::sync::Arc<__RpcService>, (a0, a1): (Order, bool)| async move {
                        <__RpcService as Orders>::place(&service, a0, a1).await
                    },
                ),
            ])
        }
    }
};
