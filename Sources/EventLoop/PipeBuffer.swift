// How much a pipe holds between its ends.

internal import CLibuv
internal import CLinux

/// The kernel's buffer of a pipe.
enum PipeBuffer {
    static func grow(_ handle: UnsafeMutablePointer<uv_pipe_t>, toBytes bytes: Int32) {
        var descriptor: uv_os_fd_t = -1
        let code = handle.withMemoryRebound(to: uv_handle_t.self, capacity: 1) { uv_fileno($0, &descriptor) }
        guard code == 0 else { return }
        _ = linux_set_pipe_size(descriptor, bytes)
    }
}
