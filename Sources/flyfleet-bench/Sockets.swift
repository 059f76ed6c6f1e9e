// TCP on the loopback interface, blocking.

import Glibc

/// 127.0.0.1 and a port.
func loopbackAddress(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    return address
}

private let INADDR_LOOPBACK: in_addr_t = 0x7F00_0001

/// Sends small segments at once.
func setNoDelay(_ connection: Int32) {
    var yes: Int32 = 1
    setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
}

/// Connects to a port of this machine.
func connectLoopback(port: UInt16) throws(BenchError) -> Int32 {
    let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard connection >= 0 else { throw BenchError.system("make a socket", errno) }
    var address = loopbackAddress(port: port)
    let code = withUnsafePointer(to: &address) { address in
        address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            connect(connection, address, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard code == 0 else {
        let reason = errno
        close(connection)
        throw BenchError.system("connect to the page server", reason)
    }
    setNoDelay(connection)
    return connection
}

/// Sends buffers as one message and waits until the kernel has them; false when the other side has gone.
func sendAll(_ connection: Int32, _ buffers: [iovec]) -> Bool {
    var rest = buffers
    while !rest.isEmpty {
        var sent = writev(connection, rest, Int32(rest.count))
        if sent < 0, errno == EINTR { continue }
        guard sent > 0 else { return false }
        while let first = rest.first, sent >= first.iov_len {
            sent -= first.iov_len
            rest.removeFirst()
        }
        if sent > 0, let base = rest[0].iov_base {
            rest[0] = iovec(iov_base: base + sent, iov_len: rest[0].iov_len - sent)
        }
    }
    return true
}
