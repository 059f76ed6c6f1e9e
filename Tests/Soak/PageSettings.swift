// How the API cuts and writes its pages: the points on which observers disagree. Drawn at the start, and drawn again as
// part of the weather.

/// The rules of pages, as flysim takes them.
struct PageSettings {
    /// So many lines of one nanosecond fit on every page that is drawn, even where pages may cut them.
    static let smallTie = 20

    let size: Int
    let boundary: String
    let ties: String
    let tokenForm: String
    let emptyToken: String
    let repeatShare: Double
    let isCompressed: Bool

    /// The rules of a standstill: large pages, so that whatever holds one holds much.
    static let large = PageSettings(
        size: 1000, boundary: "inclusive", ties: "whole", tokenForm: "string", emptyToken: "blank", repeatShare: 0,
        isCompressed: false)

    /// Draws rules under which no line is out of reach.
    ///
    /// - Parameter tieLength: How many lines share a nanosecond; more than a page of them must not be cut.
    init(_ draws: inout Draws, tieLength: Int) {
        size = draws.pick([100, 100, 60, 250])
        boundary = draws.pick(["inclusive", "exclusive"])
        let drawnTies = draws.pick(["whole", "cut"])
        ties = tieLength > Self.smallTie ? "whole" : drawnTies
        tokenForm = draws.pick(["string", "string", "number"])
        emptyToken = draws.pick(["blank", "same"])
        repeatShare = draws.pick([0, 0, 0.05, 0.3])
        isCompressed = draws.chance(0.5)
    }

    private init(
        size: Int, boundary: String, ties: String, tokenForm: String, emptyToken: String, repeatShare: Double,
        isCompressed: Bool
    ) {
        self.size = size
        self.boundary = boundary
        self.ties = ties
        self.tokenForm = tokenForm
        self.emptyToken = emptyToken
        self.repeatShare = repeatShare
        self.isCompressed = isCompressed
    }

    /// As flags of flysim.
    var flags: [String] {
        [
            "--page-size", "\(size)", "--cursor", boundary, "--ties", ties, "--token-form", tokenForm, "--empty-token",
            emptyToken, "--repeat-share", "\(repeatShare)",
        ] + (isCompressed ? ["--gzip"] : [])
    }

    /// As the body of `POST /_sim/settings`.
    var order: String {
        #"{"page_size":\#(size),"cursor":"\#(boundary)","ties":"\#(ties)","token_form":"\#(tokenForm)","#
            + #""empty_token":"\#(emptyToken)","repeat_share":\#(repeatShare),"gzip":\#(isCompressed)}"#
    }
}
