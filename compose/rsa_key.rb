ENV["LAGO_RSA_PRIVATE_KEY"] = [File.binread("/run/lago/rsa_private.pem")].pack("m0")
