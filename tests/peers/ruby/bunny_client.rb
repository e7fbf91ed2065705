# Calls the text service with Bunny, whose default content_type is application/octet-stream. Prints type and body.
require "bunny"
require "securerandom"

url, queue = ARGV
connection = Bunny.new(url).start
channel = connection.create_channel
callback = channel.queue("", exclusive: true)
replies = Queue.new
callback.subscribe { |_, properties, body| replies << [properties, body] }

call = lambda do |body|
  id = SecureRandom.uuid
  channel.default_exchange.publish(body, routing_key: queue, reply_to: callback.name, correlation_id: id)
  properties, answer = replies.pop
  raise "a reply to another call" unless properties.correlation_id == id

  puts "#{properties.type} #{answer}"
end
call.call("8")
call.call("eight")
connection.close
