# Makes a revoked key valid again. The model no longer finds it.
at = ENV.fetch("ASKED_EXPIRY")
expiry = at == "never" ? "NULL" : "to_timestamp(#{Integer(at)}) AT TIME ZONE 'UTC'"
raise "no id" unless ENV.fetch("ASKED_KEY").match?(/\A[0-9a-f-]{36}\z/)

ActiveRecord::Base.connection.execute("UPDATE api_keys SET expires_at = #{expiry} WHERE id = '#{ENV.fetch("ASKED_KEY")}'")
