import EventLoop
import HTTPClient
import Testing

@Suite("HTTPClient and the date of an answer")
struct DateHeaderTests {
    @Test("it is handed on as it stands, and none is left from the answer before")
    func date() throws {
        let text = "Sun, 06 Nov 1994 08:49:37 GMT"
        let server = ScriptedServer([.ok("a", headers: "dAtE:  \(text)\r\n"), .ok("b")])
        let loop = try Loop()
        let client = try HTTPClient(loop)
        var dates: [String?] = []
        func next() {
            guard dates.count < 2 else { return client.close() }
            client.get(HTTPRequest(url: server.url)) { result in
                dates.append((try? result.get())?.date)
                next()
            }
        }
        next()
        loop.run()
        server.stop()
        #expect(dates == [text, nil])
    }
}
