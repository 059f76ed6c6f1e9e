// libFuzzer as the engine: it watches which branches an input reaches and keeps what reaches new ones. Only in a build
// with `-sanitize=fuzzer` and `-D LIBFUZZER`, which `Scripts/fuzz` makes.
//
// Invariant: libFuzzer never comes back; it ends the process itself, with 0 only when every law held.

import Glibc

#if LIBFUZZER
    @_silgen_name("LLVMFuzzerRunDriver")
    private func runDriver(
        _ count: UnsafeMutablePointer<Int32>,
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
        _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
    ) -> Int32

    /// The run at hand, on this program's one thread; a C callback has nowhere else to find it.
    nonisolated(unsafe) private var current: LibFuzzerRun?

    /// Tries one target with inputs that libFuzzer makes.
    final class LibFuzzerRun {
        private let target: FuzzTarget
        private let law: FuzzTarget.Law
        private let began = ContinuousClock().now
        private let warmUp: Int
        private var count = 0
        private var warm = 0

        init(_ target: FuzzTarget, inputs: UInt64) throws {
            self.target = target
            law = try target.makeLaw()
            warmUp = Int(inputs / 10)
        }

        /// Never returns.
        ///
        /// - Parameter arguments: libFuzzer's own, such as `-runs=1000`.
        static func run(_ target: FuzzTarget, inputs: UInt64, arguments: [String]) throws -> Never {
            current = try LibFuzzerRun(target, inputs: inputs)
            atexit { current?.report() }
            var pointers = (["flyfleet-fuzz"] + arguments).map { strdup($0) }
            pointers.append(nil)
            var count = Int32(pointers.count - 1)
            let status = pointers.withUnsafeMutableBufferPointer { buffer in
                var base = buffer.baseAddress.unsafelyUnwrapped
                return withUnsafeMutablePointer(to: &base) { runDriver(&count, $0) { tried($0, $1) } }
            }
            exit(status)
        }

        fileprivate func take(_ input: UnsafeRawBufferPointer) {
            count += 1
            if count == warmUp { warm = residentBytes() }
            Failure.begin(input)
            guard let broken = law(input) else { return }
            Failure.keep(law: "\(target.name): \(broken)")
            abort()
        }

        private func report() {
            let seconds = max(Double((ContinuousClock().now - began) / .microseconds(1)) / 1e6, 1e-6)
            print(
                "\(target.name): \(count) inputs, \(Int(Double(count) / seconds)) a second, memory \(mebibytes(warm)) after",
                "the warm-up and \(mebibytes(residentBytes())) at the end: ended")
        }
    }

    private func tried(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
        current?.take(UnsafeRawBufferPointer(start: bytes, count: count))
        return 0
    }
#endif
