# A further key of an organization. Its id is given, so that it can be found again where this is interrupted.
organization = Organization.find_by(id: ENV.fetch("ASKED_ORGANIZATION"))
abort "the organization is gone" unless organization
key = organization.api_keys.create!(id: ENV.fetch("ASKED_KEY"))
puts "lago-acceptance\t#{key.value}"
