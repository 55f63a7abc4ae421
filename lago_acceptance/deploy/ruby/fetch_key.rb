key = ApiKey.find_by(id: ENV.fetch("ASKED_KEY"))
abort "the key is gone" unless key
puts "lago-acceptance\t#{key.value}"
