# Organizations and their active keys. Of a key itself only the digest is printed.
require "digest"
Organization.order(:created_at).each do |organization|
  puts ["lago-acceptance", "organization", organization.id, [organization.name].pack("m0")].join("\t")
  organization.api_keys.each do |key|
    next if key.expires_at && key.expires_at <= Time.current

    puts ["lago-acceptance", "key", key.id, Digest::SHA256.hexdigest(key.value), key.created_at.to_i].join("\t")
  end
end
