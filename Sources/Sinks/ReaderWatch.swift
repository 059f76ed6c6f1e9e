// Notices that the reader of a pipe went away although nothing is being written to it.
//
// The pipe is opened a second time through /proc: watching makes a descriptor non-blocking, and that flag would be
// everybody's who shares the first one, the user's shell included. Where that cannot be done, and for files, terminals
// and sockets, nothing is watched, and the next write finds out.

internal import CLinux
package import EventLoop
internal import Glibc

/// Watches one pipe from its writing end.
package final class ReaderWatch {
    private let copy: Int32
    private let poll: DescriptorPoll
    private var closed = false

    /// Starts to watch, or is nil where there is nothing to watch.
    ///
    /// `onLeft` is called at most once, never from here.
    package init?(_ loop: Loop, descriptor: Int32, onLeft: @escaping () -> Void) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else { return nil }
        // Without a reader this fails; the first write then says the same.
        copy = linux_open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NONBLOCK, 0)
        guard copy >= 0 else { return nil }
        do {
            poll = try DescriptorPoll(loop, descriptor: copy)
        } catch {
            Glibc.close(copy)
            return nil
        }
        do {
            // A pipe without readers is an error condition, which is reported whatever is asked for.
            try poll.start(.disconnected) { [weak self] _ in
                guard let self, !closed else { return }
                close()
                onLeft()
            }
        } catch {
            close()
            return nil
        }
    }

    /// Stops watching; idempotent.
    package func close() {
        guard !closed else { return }
        closed = true
        poll.close()
        Glibc.close(copy)
    }
}
