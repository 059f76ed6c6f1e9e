// The JSON of control frames, letter by letter: other executables may speak this protocol too.

import Testing
import WorkerProtocol

/// What a message looks like on the wire.
func json(_ message: some Encodable) throws -> String {
    String(decoding: try MessageCoding.encode(message), as: UTF8.self)
}

@Suite("Messages") struct MessageTests {
    @Test("configure carries protocol, path, incarnation, role and the role's settings")
    func configure() throws {
        let message = Configure(
            path: "sinks/console", incarnation: 3, role: .console,
            settings: ConsoleSettings(output: .pretty, colour: true, isTerminal: false))
        let text =
            #"{"incarnation":3,"path":"sinks/console","protocol":1,"role":"console","#
            + #""settings":{"colour":true,"highlight":[],"is_terminal":false,"merge_window_ms":0,"output":"pretty"}}"#
        #expect(try json(message) == text)
        let head = try MessageCoding.decode(ConfigureHead.self, from: Array(text.utf8))
        #expect(head.protocol == 1)
        #expect(head.path == "sinks/console")
        #expect(head.incarnation == 3)
        #expect(head.role == .console)
    }

    @Test("ready carries protocol and pid")
    func ready() throws {
        #expect(try json(Ready(pid: 4711)) == #"{"pid":4711,"protocol":1}"#)
    }

    @Test("failure carries code and message")
    func failure() throws {
        #expect(
            try json(Failure(.noToken, "no source has a token for web"))
                == #"{"code":"no_token","message":"no source has a token for web"}"#)
    }

    @Test("a failure code of another version is kept as it is")
    func unknownCode() throws {
        let failure = try MessageCoding.decode(Failure.self, from: Array(#"{"code":"of_tomorrow","message":"m"}"#.utf8))
        #expect(failure.code.rawValue == "of_tomorrow")
    }

    @Test(
        "the failure codes have their names",
        arguments: [
            (FailureCode.unavailable, "unavailable"), (.timeout, "timeout"), (.alreadyRegistered, "already_registered"),
            (.noToken, "no_token"), (.unknownMethod, "unknown_method"), (.badRequest, "bad_request"),
            (.failed, "failed"),
        ])
    func codes(code: FailureCode, name: String) {
        #expect(code.rawValue == name)
    }

    @Test(
        "the roles have their names",
        arguments: zip(
            WorkerRole.allCases,
            [
                "streamer", "registry", "table", "app_server", "store", "console", "file_sink", "sandbox",
            ]))
    func roles(role: WorkerRole, name: String) {
        #expect(role.rawValue == name)
    }

    @Test("a role of another version is an error, not a guess")
    func unknownRole() {
        let text = #"{"protocol":1,"path":"x","incarnation":1,"role":"astronaut"}"#
        #expect(throws: (any Error).self) { try MessageCoding.decode(ConfigureHead.self, from: Array(text.utf8)) }
    }

    @Test("a request's head is read beside any parameters")
    func requestHead() throws {
        let payload = Array(#"{"method":"table.get","app_name":"web","more":[1,{}]}"#.utf8)
        let head = try MessageCoding.decode(RequestHead.self, from: payload)
        #expect(head.method == "table.get")
        #expect(head.appName == "web")
    }

    @Test(
        "bytes that are no message are an error", arguments: ["", "{", "[]", "null", "{}", #"{"method":1}"#, "\u{0}"])
    func garbage(text: String) {
        #expect(throws: (any Error).self) { try MessageCoding.decode(RequestHead.self, from: Array(text.utf8)) }
    }

    @Test("the exit codes are those the supervisor knows")
    func exitCodes() {
        let codes = [
            WorkerExit.normal, WorkerExit.usage, WorkerExit.unavailable, WorkerExit.configuration,
            WorkerExit.parentGone,
            WorkerExit.ignore, WorkerExit.protocolError,
        ]
        #expect(codes == [0, 64, 69, 78, 80, 81, 82])
    }
}
