import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.StringRpcServer;
import java.util.Map;

/** Serves the text service with the Java client's StringRpcServer. */
final class Responder {
    public static void main(String[] arguments) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(arguments[0]);
        Connection connection = factory.newConnection();
        Channel channel = connection.createChannel();
        channel.queueDeclare(arguments[1], true, false, false, Map.of("x-queue-type", "classic"));
        StringRpcServer server = new StringRpcServer(channel, arguments[1]) {
            @Override
            public String handleStringCall(String request, com.rabbitmq.client.AMQP.BasicProperties properties) {
                return String.valueOf(Long.parseLong(request) / 2);
            }
        };
        System.out.println("ready");
        server.mainloop();
    }
}
