import com.rabbitmq.client.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.*;

public class Call {
    public static void main(String[] args) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(System.getenv("AMQP_URL"));
        try (Connection connection = factory.newConnection()) {
            Channel channel = connection.createChannel();
            String callback = channel.queueDeclare().getQueue(); // exclusive, and named by RabbitMQ
            String correlation = UUID.randomUUID().toString();
            CompletableFuture<Reply> answer = new CompletableFuture<>();

            channel.basicConsume(callback, true, new DefaultConsumer(channel) {
                @Override
                public void handleDelivery(String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
                    if (correlation.equals(properties.getCorrelationId())) {
                        answer.complete(new Reply(properties, body));
                    }
                }
            });
            channel.addReturnListener((code, reason, exchange, queue, properties, body) ->
                answer.completeExceptionally(new IllegalStateException("nobody serves " + queue)));

            AMQP.BasicProperties request = new AMQP.BasicProperties.Builder()
                .type("root")
                .contentType("application/json")
                .replyTo(callback)
                .correlationId(correlation)
                .expiration("10000")
                .headers(Map.of("rpc-timeout-ms", 10_000))
                .build();
            channel.basicPublish("", "Numbers", true, request, "{\"n\": 144}".getBytes(StandardCharsets.UTF_8));

            Reply reply = answer.get(10, TimeUnit.SECONDS);
            System.out.println(switch (String.valueOf(reply.properties.getType())) {
                case "fault" -> "refused: " + reply.properties.getHeaders().get("rpc-fault");
                case "error" -> "the method's own error: " + new String(reply.body, StandardCharsets.UTF_8);
                default -> new String(reply.body, StandardCharsets.UTF_8);
            });
        }
    }

    record Reply(AMQP.BasicProperties properties, byte[] body) {}
}
