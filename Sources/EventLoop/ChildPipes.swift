// The three pipes between a parent and a child, at the moment of the spawn.

internal import CLibuv

/// The parent's ends of a child's three pipes.
struct ParentEnds {
    let input: PipeWriter
    let output: PipeReader
    let errors: PipeReader

    /// Makes three pipes; the child's ends go to `childEnds` in the order of its descriptors.
    init(_ loop: Loop, childEnds: inout [Int32]) throws(UVError) {
        let toChild = try Self.makePipe(parentWrites: true)
        childEnds.append(toChild.child)
        input = try PipeWriter(loop, descriptor: toChild.parent)
        do {
            let fromChild = try Self.makePipe(parentWrites: false)
            childEnds.append(fromChild.child)
            output = try PipeReader(loop, descriptor: fromChild.parent)
        } catch {
            input.close()
            throw error
        }
        do {
            let fromErrors = try Self.makePipe(parentWrites: false)
            childEnds.append(fromErrors.child)
            errors = try PipeReader(loop, descriptor: fromErrors.parent)
        } catch {
            input.close()
            output.close()
            throw error
        }
    }

    func close() {
        input.close()
        output.close()
        errors.close()
    }

    private static func makePipe(parentWrites: Bool) throws(UVError) -> (parent: Int32, child: Int32) {
        var ends: [uv_file] = [-1, -1]
        let nonblocking = Int32(UV_NONBLOCK_PIPE.rawValue)
        let code = uv_pipe(&ends, parentWrites ? 0 : nonblocking, parentWrites ? nonblocking : 0)
        try check(code, "make a pipe")
        return parentWrites ? (ends[1], ends[0]) : (ends[0], ends[1])
    }
}
