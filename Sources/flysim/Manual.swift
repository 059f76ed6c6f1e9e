// What `flysim --help` says about the lines and about the interface for tests.

/// The long text of the help; its tables are no wider than 78 columns, so that they keep their shape.
enum Manual {
    static let text = """
        The lines follow from --seed, --epoch, the settings and the app's name alone: a simulator that was killed and is \
        started again with the same ones (and the same --journal, if settings were changed) serves the same lines.

        Each line's text ends with " at=MS seq=N": N numbers the app's lines from 1 without gaps, MS is the time in Unix \
        milliseconds at which the line appeared in the log, which is its timestamp unless it is late. Only an empty text \
        has neither; there the last 16 hexadecimal digits of the record's id are N (dialect platform).

        BESIDE THE API, without a token:
          GET  /_sim/emitted   per app: lines emitted, those still missing because
                               they are late, the last there will be, complete
          GET  /_sim/lines?app=web&from=1&count=100
                               NDJSON: n, id, timestamp, appears_ms, odd
          GET  /_sim/stats     per app: answers by status, the newest line served
          POST /_sim/token?life=10m   fresh tokens: bundle (macaroons) and oauth
          POST /_sim/settings  changes settings: a JSON object of some of
              app (else all), rate, max_lines, stop_at, late_share, late_by,
              tie_length, tie_every, odd ({"empty":0.01}), long_bytes, cursor,
              page_size, ties, token_form, empty_token, repeat_share, retention,
              gzip, missing_app, token_life
              which mean what the flags of these names do. What concerns lines
              holds from the instant in the answer, from_ns; the rest at once.
          POST /_sim/switch    switches a fault on: a JSON object of
              fault     status, redirect, not_json, huge_page, gzip_bomb, close,
                        reset, cut, slow_body, silence, slow; or revoke_tokens,
                        which refuses all tokens made so far; or clear
              app       the app concerned, else all
              endpoint  logs (if left out), apps or any
              count     how many requests, else all until clear
              share     the share of them, 0 to 1
              delay_ms  before the answer, with any fault; alone with slow
              status, retry_after (seconds or text), retry_after_date (true:
                        those seconds as an HTTP date), location (of redirect),
              bytes     cut, reset: how much of the body comes; gzip_bomb: size
              bytes_per_second   of slow_body

        For instance:
          curl localhost:PORT/_sim/switch \\
            -d '{"fault":"status","status":429,"retry_after":2,"count":3}'
          curl localhost:PORT/_sim/settings -d '{"rate":500,"late_share":0.05}'

        A program called fly or flyctl that is a link to flysim is the fake command: see --fly and flysim fly --help.
        """
}
