import EventLoop
import Testing
import WorkerProtocol

@testable import Sinks

@Suite("FilePlan")
struct FilePlanTests {
    private static func facts(
        _ inode: UInt64, _ size: Int64, holds: Bool = false, endsLine: Bool = true
    ) -> FileFacts {
        FileFacts(
            FileStatus(kind: .regular, inode: inode, size: size, bornMs: Int64(inode)), holdsPosition: holds,
            endsLine: endsLine)
    }

    private static func position(_ sequence: UInt64, _ inode: UInt64, _ offset: Int64) -> FilePosition {
        FilePosition(
            sequence: sequence, identity: FileIdentity(inode: inode, createdMs: Int64(inode)), offset: offset)
    }

    private static let most = FilePlan.mostUncommittedBytes

    struct Row: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var position: FilePosition?
        var missedCommits = false
        var findings: FileFindings
        var plan: FilePlan

        init(
            _ name: String, _ position: FilePosition?, missedCommits: Bool = false, _ findings: FileFindings,
            _ plan: FilePlan
        ) {
            testDescription = name
            self.position = position
            self.missedCommits = missedCommits
            self.findings = findings
            self.plan = plan
        }
    }

    static let firstStarts: [Row] = [
        Row(
            "nothing is there", nil, FileFindings(),
            FilePlan(steps: [.create], sequence: 1, offset: nil, mustPlace: true)),
        Row(
            "a file is there", nil, FileFindings(current: facts(5, 70)),
            FilePlan(steps: [], sequence: 1, offset: nil, mustPlace: true)),
        Row(
            "a file is there whose last line has no end", nil, FileFindings(current: facts(5, 70, endsLine: false)),
            FilePlan(steps: [.endLine], sequence: 1, offset: nil, mustPlace: true)),
        Row(
            "files of an earlier state directory are there: none of their numbers is taken again", nil,
            FileFindings(
                current: facts(9, 70), rotated: [.init(3, facts(3, 5))], lastPacked: 6,
                notes: FileNotes([position(7, 9, 0)])),
            FilePlan(steps: [], sequence: 8, offset: nil, mustPlace: true)),
    ]

    static let ordinary: [Row] = [
        Row(
            "everything is committed", position(2, 5, 70), FileFindings(current: facts(5, 70, holds: true)),
            FilePlan(steps: [], sequence: 2, offset: 70)),
        Row(
            "the end is not committed", position(2, 5, 40), FileFindings(current: facts(5, 70, holds: true)),
            FilePlan(steps: [.cut(to: 40)], sequence: 2, offset: 40)),
        Row(
            "nothing is committed", position(2, 5, 0), FileFindings(current: facts(5, 70, holds: true)),
            FilePlan(steps: [.cut(to: 0)], sequence: 2, offset: 0)),
        Row(
            "as much as can be is not committed", position(2, 5, 1),
            FileFindings(current: facts(5, most + 1, holds: true)),
            FilePlan(steps: [.cut(to: 1)], sequence: 2, offset: 1)),
        Row(
            "older files are left alone", position(2, 5, 70),
            FileFindings(
                current: facts(5, 70, holds: true), rotated: [.init(1, facts(4, 9))],
                notes: FileNotes([position(1, 4, 0), position(2, 5, 0)])),
            FilePlan(steps: [], sequence: 2, offset: 70)),
        Row(
            "it was rotated after the position", position(2, 5, 40),
            FileFindings(
                current: facts(6, 30), rotated: [.init(2, facts(5, 70, holds: true))],
                notes: FileNotes([position(2, 5, 0), position(3, 6, 0)])),
            FilePlan(steps: [.cutRotated(2, to: 40), .cut(to: 0)], sequence: 3, offset: 0)),
        Row(
            "it was rotated twice", position(2, 5, 40),
            FileFindings(
                current: facts(7, 30),
                rotated: [.init(2, facts(5, 70, holds: true)), .init(3, facts(6, 50))],
                notes: FileNotes([position(2, 5, 0), position(3, 6, 0), position(4, 7, 0)])),
            FilePlan(
                steps: [.removeRotated(3), .cutRotated(2, to: 40), .cut(to: 0)], sequence: 4, offset: 0)),
        Row(
            "a rotation was cut off between its two renames", position(2, 5, 40),
            FileFindings(
                rotated: [.init(2, facts(5, 70, holds: true))],
                notes: FileNotes([position(2, 5, 0), position(3, 6, 0)])),
            FilePlan(steps: [.cutRotated(2, to: 40), .create], sequence: 4, offset: nil)),
        Row(
            "it was rotated while nothing came", position(2, 5, 40),
            FileFindings(
                current: facts(6, 0), rotated: [.init(2, facts(5, 40, holds: true))],
                notes: FileNotes([position(3, 6, 0)])),
            FilePlan(steps: [], sequence: 3, offset: 0)),
    ]

    static let disturbed: [Row] = [
        Row(
            "the file was removed", position(2, 5, 40), FileFindings(),
            FilePlan(steps: [.create], sequence: 3, offset: nil, notice: .removed)),
        Row(
            "a stranger's file is in its place", position(2, 5, 40), FileFindings(current: facts(9, 400)),
            FilePlan(steps: [], sequence: 3, offset: nil, notice: .removed)),
        Row(
            "a stranger's file has its inode, and was made later", position(2, 5, 40),
            FileFindings(
                current: FileFacts(FileStatus(kind: .regular, inode: 5, size: 80, bornMs: 6), endsLine: false)),
            FilePlan(steps: [.endLine], sequence: 3, offset: nil, notice: .removed)),
        Row(
            "a stranger's file took the place of the one that was rotated in", position(2, 5, 40),
            FileFindings(
                current: facts(9, 400), rotated: [.init(2, facts(5, 70, holds: true))],
                notes: FileNotes([position(3, 6, 0)])),
            FilePlan(steps: [.cutRotated(2, to: 40)], sequence: 4, offset: nil)),
        Row(
            "it is shorter than committed, or no line ends there", position(2, 5, 40),
            FileFindings(current: facts(5, 30)),
            FilePlan(steps: [], sequence: 3, offset: nil, notice: .changed)),
        Row(
            "the rotated one is", position(2, 5, 40),
            FileFindings(
                current: facts(6, 10), rotated: [.init(2, facts(5, 30))], notes: FileNotes([position(3, 6, 0)])),
            FilePlan(steps: [.cut(to: 0)], sequence: 3, offset: 0, notice: .changed)),
        Row(
            "a later file lies beside, but is not noted as ours", position(2, 5, 40),
            FileFindings(
                current: facts(6, 10), rotated: [.init(2, facts(5, 40, holds: true)), .init(3, facts(8, 5))],
                notes: FileNotes([position(4, 6, 0)])),
            FilePlan(steps: [.cut(to: 0)], sequence: 4, offset: 0)),
        Row(
            "the file was removed while it was written, and made anew", position(2, 5, 40),
            FileFindings(current: facts(6, 10), notes: FileNotes([position(2, 5, 0), position(3, 6, 0)])),
            FilePlan(steps: [.cut(to: 0)], sequence: 3, offset: 0)),
        Row(
            "it was replaced while it was written, and gone on with behind the stranger's lines", position(2, 5, 40),
            FileFindings(current: facts(6, 90), notes: FileNotes([position(3, 6, 60)])),
            FilePlan(steps: [.cut(to: 60)], sequence: 3, offset: 60)),
        Row(
            "that one was rotated since", position(2, 5, 40),
            FileFindings(
                current: facts(7, 10), rotated: [.init(3, facts(6, 90))],
                notes: FileNotes([position(3, 6, 60), position(4, 7, 0)])),
            FilePlan(steps: [.cutRotated(3, to: 60), .cut(to: 0)], sequence: 4, offset: 0)),
        Row(
            "the file was cut while it was written", position(2, 5, 40),
            FileFindings(current: facts(5, 30), notes: FileNotes([position(2, 5, 0), position(3, 5, 8)])),
            FilePlan(steps: [.cut(to: 8)], sequence: 3, offset: 8)),
        Row(
            "somebody added to the file while it was written", position(2, 5, 40),
            FileFindings(
                current: facts(5, 90, holds: true), notes: FileNotes([position(2, 5, 0), position(3, 5, 60)])),
            FilePlan(steps: [.cut(to: 40)], sequence: 3, offset: 40)),
        Row(
            "the one that was made anew was cut too", position(2, 5, 40),
            FileFindings(current: facts(6, 10), notes: FileNotes([position(3, 6, 60)])),
            FilePlan(steps: [], sequence: 4, offset: nil, notice: .changed)),
        Row(
            "the sink was left out", position(2, 5, 40), missedCommits: true,
            FileFindings(current: facts(5, 70, holds: true)),
            FilePlan(steps: [], sequence: 3, offset: nil, mustPlace: true, notice: .leftOut)),
        Row(
            "more lies behind the position than can be uncommitted", position(2, 5, 0),
            FileFindings(current: facts(5, most + 1, holds: true)),
            FilePlan(steps: [], sequence: 3, offset: nil, mustPlace: true, notice: .ahead(most + 1))),
        Row(
            "the same over several files", position(2, 5, 0),
            FileFindings(
                current: facts(7, most / 2),
                rotated: [.init(2, facts(5, most / 2, holds: true)), .init(3, facts(6, 1))],
                notes: FileNotes([position(3, 6, 0), position(4, 7, 0)])),
            FilePlan(steps: [], sequence: 5, offset: nil, mustPlace: true, notice: .ahead(most + 1))),
    ]

    @Test("what is done about what is there", arguments: firstStarts + ordinary + disturbed)
    func rows(_ row: Row) {
        #expect(
            FilePlan.make(position: row.position, missedCommits: row.missedCommits, findings: row.findings)
                == row.plan)
    }
}

@Suite("FilePosition, FileNames and FileNotes")
struct FileTextTests {
    @Test("a position survives its text", arguments: [(1, 0, 0, 0), (7, 12, 34, 56), (.max, .max, .max, .max)])
    func position(_ sequence: UInt64, _ inode: UInt64, _ offset: Int64, _ created: Int64) {
        let position = FilePosition(
            sequence: sequence, identity: FileIdentity(inode: inode, createdMs: created), offset: offset)
        #expect(FilePosition(position.description) == position)
    }

    @Test(
        "what is no position is refused",
        arguments: ["", "1:2:3", "1:2:3:4:5", "0:2:3:4", "1:2:-3:4", "01:2:3:4", "1:+2:3:4", "a:2:3:4", "1:2:3:4 "])
    func notAPosition(_ text: String) {
        #expect(FilePosition(text) == nil)
    }

    @Test("names around a path", arguments: ["/var/log/app", "/app"])
    func names(_ path: String) throws {
        let names = try #require(FileNames(path: path))
        #expect(names.path == path)
        #expect(names.rotated(7) == path + ".000007")
        #expect(names.rotated(12_345_678) == path + ".12345678")
        #expect(names.packed(7, .zstd) == path + ".000007.zst")
        #expect(names.packed(7, .none) == names.rotated(7))
        #expect(names.role(of: "app.000007") == .rotated(7))
        #expect(names.role(of: "app.12345678") == .rotated(12_345_678))
        #expect(names.role(of: "app.000007.gz") == .packed(7, .gzip))
        #expect(names.role(of: "app.000007.zst") == .packed(7, .zstd))
        #expect(names.role(of: "app.000007.zst.tmp") == .leftover)
        for stranger in [
            "app", "app.", "app.1", "app.0000007", "app.000000", "app.000007.bz2", "app.000007x", "app.log.000007",
            "other.000007", "app.000007.gz.old", "app.99999999999999999999",
        ] { #expect(names.role(of: stranger) == nil, "\(stranger)") }
    }

    @Test("no names around what is no file", arguments: ["", "app", "/", "/var/log/", "/.", "/var/.."])
    func noNames(_ path: String) {
        #expect(FileNames(path: path) == nil)
        #expect(FileNames(path: "/" + String(repeating: "x", count: FileNames.mostNameBytes)) != nil)
        #expect(FileNames(path: "/" + String(repeating: "x", count: FileNames.mostNameBytes + 1)) == nil)
    }

    @Test("notes fill one page, and the oldest go first")
    func notes() {
        var notes = FileNotes()
        #expect(FileNotes(page: notes.page) == notes)
        for sequence in UInt64(1)...500 {
            notes.add(
                FilePosition(sequence: sequence, identity: FileIdentity(inode: .max, createdMs: .max), offset: .max))
            #expect(notes.page.count == FileNotes.pageBytes)
        }
        #expect(notes.beginnings.last?.sequence == 500)
        #expect(notes.beginnings.count >= 60)
        #expect(FileNotes(page: notes.page) == notes)
        #expect(FileNotes(page: Array("junk\n1:2:3:4\n\u{0}".utf8)).beginnings.count == 1)
    }

    @Test("what is done about rotated files")
    func upkeep() {
        let roles: [FileNames.Role] = [
            .rotated(3), .packed(1, .gzip), .rotated(2), .rotated(1), .leftover, .packed(4, .zstd),
        ]
        let next = { UpkeepAction.next(roles, committed: $0, compression: $1, keep: $2) }
        #expect(next(9, .none, nil) == nil)
        #expect(next(1, .zstd, 0) == nil)
        #expect(next(2, .zstd, nil) == .pack(1))
        #expect(next(2, .zstd, 4) == .pack(1))
        #expect(next(2, .zstd, 3) == .remove(1))
        #expect(next(1, .none, 3) == nil)
        #expect(UpkeepAction.remains(roles, compression: .none, keep: 3))
        #expect(!UpkeepAction.remains(roles, compression: .none, keep: 4))
        #expect(UpkeepAction.next([.packed(1, .gzip)], committed: 9, compression: .zstd, keep: 1) == nil)
    }
}
