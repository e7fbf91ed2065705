# Serves the text service with Bunny.
require "bunny"

url, queue = ARGV
connection = Bunny.new(url).start
channel = connection.create_channel
channel.prefetch(1)
requests = channel.queue(queue, durable: true, arguments: { "x-queue-type" => "classic" })
requests.subscribe(manual_ack: true) do |delivery, properties, body|
  half = (Integer(body) / 2).to_s
  channel.default_exchange.publish(half, routing_key: properties.reply_to, correlation_id: properties.correlation_id)
  channel.ack(delivery.delivery_tag)
end
stop = Queue.new
trap("TERM") { stop << true }
$stdout.sync = true
puts "ready"
stop.pop
connection.close
