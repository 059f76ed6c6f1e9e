// What a reader and a writer of a pipe do alike with libuv's handle.

internal import CLibuv
internal import CLinux

/// One end of a pipe as libuv knows it.
enum PipeHandle {
    static func make(_ loop: Loop) -> UnsafeMutablePointer<uv_pipe_t> {
        let handle = UnsafeMutablePointer<uv_pipe_t>.allocate(capacity: 1)
        // uv_pipe_init cannot fail on Unix.
        uv_pipe_init(loop.raw, handle, 0)
        return handle
    }

    /// Gives `descriptor` to the handle; it is closed when that fails, and the handle's owner has to close the handle.
    static func open(
        _ handle: UnsafeMutablePointer<uv_pipe_t>, descriptor: Int32, _ operation: String
    ) throws(UVError) {
        let code = uv_pipe_open(handle, descriptor)
        guard code == 0 else {
            closeDescriptor(descriptor)
            throw UVError(code: code, operation: operation)
        }
    }

    /// Asks for a larger buffer between the two ends.
    static func growBuffer(_ handle: UnsafeMutablePointer<uv_pipe_t>, toBytes bytes: Int32) {
        var descriptor: uv_os_fd_t = -1
        let code = handle.withMemoryRebound(to: uv_handle_t.self, capacity: 1) { uv_fileno($0, &descriptor) }
        guard code == 0 else { return }
        _ = linux_set_pipe_size(descriptor, bytes)
    }
}
