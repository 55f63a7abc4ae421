# EMAIL and PASSWORD are put before this. Prints the old password's digest, so that it can be put back.
user = User.find_by(email: EMAIL)
abort "nobody has this address" unless user
puts "lago-acceptance\t#{user.id}\t#{user.password_digest}"
user.password = PASSWORD
user.save!
