import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.RpcClient;
import java.nio.charset.StandardCharsets;

/** Calls the text service with the Java client's RpcClient, once as plain as it does it, once with a type. */
final class Caller {
    public static void main(String[] arguments) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(arguments[0]);
        try (Connection connection = factory.newConnection()) {
            String queue = arguments[1];
            RpcClient client = new RpcClient(connection.createChannel(), "", queue, 10_000);
            String half = client.stringCall("8");
            System.out.println("result " + half);
            AMQP.BasicProperties typed = new AMQP.BasicProperties.Builder().type("half").contentType("text/plain").build();
            RpcClient.Response refused = client.doCall(typed, "eight".getBytes(StandardCharsets.UTF_8));
            System.out.println(refused.getProperties().getType() + " " + new String(refused.getBody(), StandardCharsets.UTF_8));
        }
    }
}
