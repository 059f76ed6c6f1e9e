// `flyfleet policy simulate` as a program: files in, lines out, exit codes. What the lines say is tested without it.

import Foundation
import Testing

@Suite("flyfleet policy simulate")
struct PolicySimulateTests {
    static let policy = #"""
        {"supervisor":{"id":"top","max_restarts":1,"max_seconds":1,"children":[{"id":"a"},{"id":"b"}]},
        "script":[{"at_ms":50,"exit":"a"},{"at_ms":1150,"exit":"a"},{"at_ms":1200,"fail_starts":"b","times":2},
        {"at_ms":3000,"exit":"b"},{"at_ms":9000,"stop":"top"}]}
        """#

    @Test("a policy file gives its lines on stdout, nothing on stderr, and 0")
    func file() async throws {
        try await withFile(PolicySimulateTests.policy) { path in
            try await expect(
                [path],
                [
                    #"{"at_ms":0,"action":"start","child":"a","ok":true}"#,
                    #"{"at_ms":0,"action":"start","child":"b","ok":true}"#,
                    #"{"at_ms":50,"action":"start","child":"a","ok":true}"#,
                    #"{"at_ms":1150,"action":"start","child":"a","ok":true}"#,
                    #"{"at_ms":3000,"action":"start","child":"b","ok":false}"#,
                    #"{"at_ms":3000,"action":"give_up","supervisor":"top"}"#,
                    #"{"at_ms":3000,"action":"stop","child":"a"}"#,
                    #"{"at_ms":3000,"action":"exit","supervisor":"top","reason":"shutdown"}"#,
                ])
        }
    }

    @Test("a dash is stdin, and --clock otp counts in whole seconds")
    func stdin() async throws {
        try await withFile(PolicySimulateTests.policy) { path in
            try await expect(
                ["-", "--clock", "otp"], input: path,
                [
                    #"{"at_ms":0,"action":"start","child":"a","ok":true}"#,
                    #"{"at_ms":0,"action":"start","child":"b","ok":true}"#,
                    #"{"at_ms":50,"action":"start","child":"a","ok":true}"#,
                    #"{"at_ms":1150,"action":"give_up","supervisor":"top"}"#,
                    #"{"at_ms":1150,"action":"stop","child":"b"}"#,
                    #"{"at_ms":1150,"action":"exit","supervisor":"top","reason":"shutdown"}"#,
                ])
        }
    }

    @Test("--restart-backoff delays, --verbose tells more")
    func options() async throws {
        let json = #"""
            {"supervisor":{"id":"top","max_restarts":9,"children":[{"id":"a"}]},
            "script":[{"at_ms":0,"fail_starts":"a"},{"at_ms":0,"exit":"a"}]}
            """#
        try await withFile(json) { path in
            try await expect(
                [path, "--restart-backoff", "4ms..4ms", "--verbose"],
                [
                    #"{"at_ms":0,"action":"event","start":"top"}"#,
                    #"{"at_ms":0,"action":"start","child":"a","ok":true}"#,
                    #"{"at_ms":0,"action":"states","states":{"a":"running"}}"#,
                    #"{"at_ms":0,"action":"event","fail_starts":"a","times":1}"#,
                    #"{"at_ms":0,"action":"states","states":{"a":"running"}}"#,
                    #"{"at_ms":0,"action":"event","exit":"a","reason":"crash"}"#,
                    #"{"at_ms":0,"action":"start","child":"a","ok":false}"#,
                    #"{"at_ms":0,"action":"backoff","child":"a","delay_ms":4}"#,
                    #"{"at_ms":0,"action":"states","states":{"a":"restarting"}}"#,
                    #"{"at_ms":4,"action":"start","child":"a","ok":true}"#,
                ])
            // The same seed gives the same delays; here the jitter is wide enough to tell two seeds apart.
            let arguments = [path, "--restart-backoff", "1h..2h", "--seed"]
            let first = try await lines(arguments + ["7"])
            #expect(try await lines(arguments + ["7"]) == first)
            #expect(try await lines(arguments + ["8"]) != first)
        }
    }

    @Test(
        "a bad file is one line on stderr that names file, place and remedy, and 78",
        arguments: [
            ("{", "line 1, column 2: not JSON: it ends too early; mend the syntax"),
            (#"{"supervisor":{}}"#, #"supervisor: "id" is missing; add it"#),
            (
                #"{"supervisor":{"id":"t","children":[{"id":"a"},{"id":"a"}]}}"#,
                "supervisor.children[1]: a: this id is taken; give every child of a supervisor its own"
            ),
            (
                #"{"supervisor":{"id":"t\u001b[2J"}}"#,
                #"supervisor: t\u{1b}[2J: an id needs 1 to 255 bytes without slashes, spaces or control characters; "#
                    + "rename it"
            ),
        ])
    func badFile(_ json: String, _ words: String) async throws {
        try await withFile(json) { path in
            try await expect([path], fails: 78, "flyfleet: \(path): \(words)")
            try await expect(["-"], input: path, fails: 78, "flyfleet: stdin: \(words)")
        }
    }

    @Test("a file that is too long is refused before it is read to its end")
    func endlessFile() async throws {
        try await expect(
            ["/dev/zero"], fails: 78,
            "flyfleet: /dev/zero: more than 1048576 bytes; shorten the script or the tree")
    }

    @Test("a missing file is 66")
    func missingFile() async throws {
        try await expect(
            ["/no/such/file"], fails: 66,
            "flyfleet: cannot read /no/such/file: No such file or directory; name a policy file, or - for stdin")
    }

    @Test("a stdout that takes nothing is one line and 69")
    func fullOutput() async throws {
        let words = "could not write to stdout: No space left on device; mend that and simulate again"
        try await expect(
            #"exec "$0" policy simulate "$1" > /dev/full"#, of: PolicySimulateTests.policy, 69, ["flyfleet: \(words)"])
    }

    @Test("a reader that goes away is no error")
    func readerGone() async throws {
        // More than a pipe holds.
        let entries = (0..<2_000).map { #"{"at_ms":\#($0 * 10_000),"exit":"a"}"# }.joined(separator: ",")
        let json = #"{"supervisor":{"id":"top","children":[{"id":"a"}]},"script":[\#(entries)]}"#
        try await expect(#"{ "$0" policy simulate "$1"; echo "code $?" >&2; } | :"#, of: json, 0, ["code 0"])
    }

    /// Runs a line of shell with the program as `$0` and a policy file as `$1`.
    private func expect(_ line: String, of policy: String, _ code: Int32, _ errors: [String]) async throws {
        try await withFile(policy) { path in
            let program = try Program("/bin/sh", ["-c", line, Built.path("flyfleet"), path])
            defer { program.dispose() }
            let ending = try await program.end()
            #expect(ending == .code(code))
            #expect(program.errors.lines == errors)
        }
    }

    @Test(
        "wrong usage is one line and 64",
        arguments: [
            (["simulate"], "Missing expected argument '<file>'; see 'flyfleet help policy simulate'"),
            (["simulat"], "there is no command 'policy simulat'; see 'flyfleet --help'"),
            (["help"], "there is no command 'policy help'; see 'flyfleet --help'"),
            (
                ["simulate", "-", "--clock", "utc"],
                "The value 'utc' is invalid for '--clock <clock>'. Please provide one of 'exact' and 'otp'; "
                    + "see 'flyfleet help policy simulate'"
            ),
            (
                ["simulate", "-", "--restart-backoff", "2s..1s"],
                "--restart-backoff: '2s..1s' must go upwards, from at least 1ms to at most 24h; "
                    + "see 'flyfleet help policy simulate'"
            ),
        ])
    func usage(_ arguments: [String], _ words: String) async throws {
        let program = try Program(Built.path("flyfleet"), ["policy"] + arguments)
        defer { program.dispose() }
        #expect(try await program.end() == .code(64))
        #expect(program.errors.lines == ["flyfleet: \(words)"])
    }

    @Test("help comes to stdout", arguments: [["help", "policy"], ["help", "policy", "simulate"], ["policy"]])
    func help(_ arguments: [String]) async throws {
        let program = try Program(Built.path("flyfleet"), arguments)
        defer { program.dispose() }
        #expect(try await program.end() == .code(0))
        #expect(program.output.lines.contains { $0.hasPrefix("USAGE: flyfleet policy") })
        #expect(program.errors.lines == [])
    }

    private func lines(_ arguments: [String], input: String? = nil) async throws -> [String] {
        let program = try Program(Built.path("flyfleet"), ["policy", "simulate"] + arguments, input: input)
        defer { program.dispose() }
        #expect(try await program.end() == .code(0))
        #expect(program.errors.lines == [])
        return program.output.lines
    }

    private func expect(_ arguments: [String], input: String? = nil, _ expected: [String]) async throws {
        #expect(try await lines(arguments, input: input) == expected)
    }

    private func expect(
        _ arguments: [String], input: String? = nil, fails code: Int32, _ complaint: String
    ) async throws {
        let program = try Program(Built.path("flyfleet"), ["policy", "simulate"] + arguments, input: input)
        defer { program.dispose() }
        #expect(try await program.end() == .code(code))
        #expect(program.errors.lines == [complaint])
        #expect(program.output.lines == [])
    }

    private func withFile(_ text: String, _ body: (String) async throws -> Void) async throws {
        let path = NSTemporaryDirectory() + "policy-\(UUID().uuidString).json"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        defer { unlink(path) }
        try await body(path)
    }
}
