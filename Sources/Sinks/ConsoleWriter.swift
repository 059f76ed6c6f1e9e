// Where the console's bytes go: a regular file waits for room when its disk is full, everything else just fails.

internal import EventLoop
internal import Framing

/// Writes in order, whatever the descriptor is.
final class ConsoleWriter {
    private let stream: FileWriter?
    private let disk: ConsoleDisk?

    /// Called once when a write failed for good.
    var onError: ((UVError) -> Void)?
    /// Called with the reason when a disk is full, and with nil when it has room again.
    var onRoom: ((UVError?) -> Void)?

    init(_ loop: Loop, descriptor: Int32, disk: ConsoleDisk?) {
        if let disk {
            self.disk = disk
            stream = nil
        } else if ConsoleDisk.isRegularFile(descriptor) {
            self.disk = ConsoleDisk(loop, descriptor: descriptor)
            stream = nil
        } else {
            self.disk = nil
            stream = FileWriter(loop, descriptor: descriptor)
        }
        stream?.onError = { [weak self] in self?.onError?($0) }
        self.disk?.onError = { [weak self] in self?.onError?($0) }
        self.disk?.onRoom = { [weak self] in self?.onRoom?($0) }
    }

    func write(_ bytes: [UInt8]) {
        let slab = ByteSlab(capacity: bytes.count)
        slab.base.copyMemory(from: bytes, byteCount: bytes.count)
        write(UnsafeRawBufferPointer(start: slab.base, count: bytes.count), keeping: slab) {}
    }

    /// Appends `bytes` in place; `owner` is kept until they are written, and then `completion` is called.
    func write(_ bytes: UnsafeRawBufferPointer, keeping owner: AnyObject, completion: @escaping () -> Void) {
        disk?.write(bytes, keeping: owner, completion: completion)
        stream?.write(bytes, keeping: owner, completion: completion)
    }

    /// Stops waiting for room; idempotent.
    func close() {
        disk?.close()
    }
}
