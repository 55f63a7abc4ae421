# A key that is not there is revoked already. Prints when it would have expired by itself (Unix time), or "never".
key = ApiKey.find_by(id: ENV.fetch("ASKED_KEY"))
if key
  puts "lago-acceptance\t#{key.expires_at ? key.expires_at.to_i : "never"}"
  key.update!(expires_at: Time.current)
  # Later versions remember keys for an hour.
  ApiKeys::CacheService.expire_cache(key.value) if defined?(ApiKeys::CacheService)
end
