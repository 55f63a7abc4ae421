# Whether anything outside can be reached from here. Input: lines of host, port and what it is, separated by tabs; those whose
# name ends with "!" must be reached, for else nothing was tried. Output: lines of "reached" or "not reached", and what it is.
require "socket"
tried = $stdin.each_line.map do |line|
  host, port, name = line.chomp.split("\t")
  Thread.new do
    Socket.tcp(host, port.to_i, connect_timeout: 2, resolv_timeout: 2).close
    "reached\t#{name}"
  rescue SystemCallError, SocketError, IOError
    "not reached\t#{name}"
  end
end
puts tried.map(&:value)
