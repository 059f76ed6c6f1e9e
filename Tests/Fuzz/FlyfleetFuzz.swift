// Feeds parsers with damaged input and holds them to their laws. `Scripts/fuzz` builds it with the sanitizers and
// libFuzzer; built plainly it has an engine of its own, which tries the same inputs for the same seed everywhere.
//
// Exit codes: 0 all laws held, 1 one did not, 64 wrong usage, 66 a file is missing; a trap ends it by its signal.

import Glibc

@main struct FlyfleetFuzz {
    static func main() throws {
        guard let options = FuzzOptions(CommandLine.arguments.dropFirst()) else { exit(64) }
        let program = CommandLine.arguments.first ?? "flyfleet-fuzz"
        #if !LIBFUZZER
            Failure.watch()
        #endif
        var passed = true
        for target in options.targets {
            Failure.prepare(target: target.name, folder: options.folder, program: program)
            if !options.files.isEmpty {
                try passed = repeated(target, options.files) && passed
            } else if let number = options.number {
                let input = Mutator(target).input(number, seed: options.seed)
                try passed = shown(target, input) && passed
            } else {
                #if LIBFUZZER
                    try LibFuzzerRun.run(target, inputs: options.inputs, arguments: libFuzzerArguments(target, options))
                #else
                    let run = MutationRun(target: target, inputs: options.inputs, seed: options.seed)
                    try passed = run.run() && passed
                #endif
            }
        }
        exit(passed ? 0 : 1)
    }

    private static func repeated(_ target: FuzzTarget, _ files: [String]) throws -> Bool {
        var passed = true
        for path in files {
            guard let input = contents(of: path) else {
                complain("cannot read \(path)")
                exit(66)
            }
            try passed = shown(target, input) && passed
        }
        return passed
    }

    private static func shown(_ target: FuzzTarget, _ input: [UInt8]) throws -> Bool {
        print("\(target.name): \(input.count) bytes: \(String(reflecting: String(decoding: input, as: UTF8.self)))")
        alarm(Failure.mostSeconds)
        let broken = try MutationRun.trial(input, target.makeLaw())
        alarm(0)
        print("\(target.name): \(broken ?? "every law holds")")
        return broken == nil
    }

    private static func contents(of path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return ferror(file) == 0 ? Array(bytes.prefix(count)) : nil
    }

    #if LIBFUZZER
        /// Seeds and words go to files, which is how libFuzzer takes them.
        private static func libFuzzerArguments(_ target: FuzzTarget, _ options: FuzzOptions) throws -> [String] {
            guard let corpus = options.corpus else {
                complain("libFuzzer needs a --corpus folder")
                exit(64)
            }
            for (index, seed) in target.seeds.enumerated() { put(seed, in: "\(corpus)/seed-\(index)") }
            let hex = Array("0123456789abcdef")
            let words = target.words.map { word in
                "\"" + word.map { "\\x\(hex[Int($0 >> 4)])\(hex[Int($0 & 15)])" }.joined() + "\"\n"
            }
            put(Array(words.joined().utf8), in: "\(corpus).words")
            return [
                corpus, "-runs=\(options.inputs)", "-seed=\(UInt32(truncatingIfNeeded: options.seed))",
                "-dict=\(corpus).words", "-max_len=\(target.mostBytes)", "-timeout=\(Failure.mostSeconds)",
                "-verbosity=0",
                "-rss_limit_mb=1024", "-artifact_prefix=\(options.folder)/\(target.name)-",
            ]
        }

        private static func put(_ bytes: [UInt8], in path: String) {
            guard let file = fopen(path, "w"), fwrite(bytes, 1, bytes.count, file) == bytes.count, fclose(file) == 0
            else {
                complain("cannot write \(path)")
                exit(73)
            }
        }
    #endif
}
