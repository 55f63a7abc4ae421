# ID and DIGEST are put before this: what reset_password.rb printed.
raise "no digest" unless ID.match?(/\A[0-9a-f-]{36}\z/) && DIGEST.match?(%r{\A[A-Za-z0-9$./]+\z})

ActiveRecord::Base.connection.execute("UPDATE users SET password_digest = '#{DIGEST}' WHERE id = '#{ID}'")
