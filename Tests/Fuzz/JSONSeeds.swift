// Valid pages and lines to start from, and the words of their formats.

let platformSeeds: [[UInt8]] = [
    #"{"data":[{"id":"a1","type":"log","attributes":{"timestamp":"2026-06-04T21:25:05.152Z","message":"one line","level":"info","instance":"d896d7c609dd68","region":"iad","meta":{"instance":"d8","region":"iad","event":{"provider":"app"},"error":{"code":0,"message":""}}}}],"meta":{"next_token":"1780608313161890637"}}"#,
    #"{"data":[{"id":"a","attributes":{"message":"\u001b[1m\ud83d\ude00\"x\\","timestamp":1780608305152,"meta":{"event":{"provider":"app"}}}},{"id":7}],"meta":{"next_token":12}}"#,
    #"{"meta":{"next_token":""},"data":null}"#, #"{"data":[]}"#, #"{"data":[1,"x",null,[],{}],"data":[{}]}"#,
    "{\n  \"data\": [\n    {\"id\": \"b\", \"attributes\": {\"message\": {\"k\": [1, 2]}, \"meta\": {\n \"a\": \"\\n\"}}}\n ]\n}\n",
    #"{"data":[{"attributes":{"meta":{"a":[[[[{"b":[]}]]]],"region":"x","region":"y"},"message":null,"level":1.5e3}}]}"#,
    #"{"errors":[{"detail":"not found"}]}"#,
].map { Array($0.utf8) }

let machinesSeeds: [[UInt8]] = [
    #"{"timestamp":"2024-01-01T00:00:00Z","fly":{"app":{"instance":"abc123","name":"myapp"},"region":"cdg"},"log":{"level":"info"},"event":{"provider":"app"},"host":"0ad1","message":"Hello world"}"#,
    #"{"message":"a\u0000b","timestamp":"2024-01-01T00:00:00Z","x":[1,{"y":-1.5e3}]}"# + "\n{}\n",
    "{\"message\":\"a\"}\n\n \r\n{\"message\":\"b\\ud83d\\ude00\",\"timestamp\":1}\r\n",
    #"{"error":"no"}"#, "{\"message\":[{\"a\":1}],\"log\":7,\"fly\":null}\n",
    "{\"message\":\"open\n{\"message\":\"b\"}\n",
].map { Array($0.utf8) }

let lineSeeds: [[UInt8]] = [
    #"{"type":"log","app_name":"web","timestamp":"2026-06-04T21:25:05.152Z","level":"info","region":"iad","instance":"d8","provider":"app","id":"a1","message":"x\u001b[1m\ny","meta":{"a":[1]}}"#
        + "\n",
    "{\"type\":\"stopped\",\"app_name\":\"web\"}\n{\"type\":\"missed\",\"app_name\":\"web\",\"lines\":12}\n",
    #"{"type":"gap","app_name":"web","from":"2026-06-04T21:25:05Z","to":"2026-06-04T21:26:05Z","reason":"retention"}"#,
    "\n \n[1]\n{}\n{\"message\":{\"a\":\"\\u0041\"}}\n{\"message\":null,\"message\":\"\\ud800\"}",
].map { Array($0.utf8) }

let jsonWords: [[UInt8]] =
    [
        "{", "}", "[", "]", "\"", ":", ",", "\\", "\\\\", "\\\"", "\n", "\r\n", " ", "null", "true", "false", "0", "-0",
        "1e9",
        "1.5", "-", "{}", "[]", "\"\"", "\\u0000", "\\ud83d", "\\ude00", "\\u00", "\\x", "\u{FEFF}", "é", "😀",
        "\u{1B}[31m",
        "\"data\":", "\"meta\":", "\"attributes\":", "\"message\":", "\"timestamp\":", "\"id\":", "\"event\":",
        "\"provider\":", "\"next_token\":", "\"fly\":", "\"log\":", "\"level\":", "\"region\":", "\"instance\":",
        "\"app\":",
        "\"type\":", "\"app_name\":", "{\"message\":\"m\"}", "\"2026-06-04T21:25:05.152Z\"", "18446744073709551616",
        "[[[[[[[[", "{\"a\":{\"a\":{\"a\":",
    ].map { Array($0.utf8) } + [[0], [0x7F], [0x80], [0xC3], [0xE2, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x9F], [0xFF]]
