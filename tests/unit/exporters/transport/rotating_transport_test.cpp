// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/rotating_transport.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "tests/support/captured_log.hpp"
#include "tests/support/decompressed.hpp"
#include "tests/support/files.hpp"
#include "tests/support/lines.hpp"

namespace nfstreamd::exporters {
namespace {

using namespace std::chrono_literals;
using test::Lines;
using test::sends_all;
using Names = std::vector<std::string>;

// A folder, a clock, and rotating files in it.
struct Bench : test::ScratchFolder {
    Pieces::Time now{1'767'323'045s};  // 2026-01-02T03:04:05Z
    test::CapturedLog log;

    RotatingTransport make(const std::string& name, RotationLimits limits, Pieces pieces, bool append = false) {
        return {path(name), append, limits, std::move(pieces), log.logger(), [this] { return now; }};
    }
    RotatingTransport by_flows(std::uint64_t flows, bool append = false, const std::string& name = "out.csv") {
        return make(name, {.messages = flows}, Pieces::indexed(path(name), "csv", 0), append);
    }
    RotatingTransport stamped(RotationLimits limits, bool append = false, std::uint64_t keep = 0,
                              const std::string& name = "out.csv") {
        return make(name, limits, Pieces::stamped(path(name), keep), append);
    }
    void set_written(const std::string& name, Pieces::Time time) const {
        const timespec moment{std::chrono::system_clock::to_time_t(time), 0}, both[2] = {moment, moment};
        REQUIRE(::utimensat(AT_FDCWD, path(name).c_str(), both, 0) == 0);
    }
};

TEST_CASE("RotatingTransport: each piece has exactly N messages and a header, and its name once it is complete") {
    Bench bench;
    auto transport = bench.by_flows(2);
    REQUIRE(transport.open("head\n"));
    REQUIRE(sends_all(transport, Lines{"one"}));
    CHECK(bench.names() == Names{"out.csv"});
    CHECK(bench.read("out.csv") == "head\none\n");
    REQUIRE(sends_all(transport, Lines{"two"}));
    CHECK(bench.names() == Names{"out.0.csv", "out.csv"});  // at once, not with the next message
    REQUIRE(sends_all(transport, Lines{"three", "four", "five", "six", "seven"}));
    transport.close();
    CHECK(bench.names() == Names{"out.0.csv", "out.1.csv", "out.2.csv", "out.3.csv"});
    CHECK(bench.read("out.0.csv") == "head\none\ntwo\n");
    CHECK(bench.read("out.1.csv") == "head\nthree\nfour\n");
    CHECK(bench.read("out.2.csv") == "head\nfive\nsix\n");
    CHECK(bench.read("out.3.csv") == "head\nseven\n");
}

TEST_CASE("RotatingTransport: no file stays that has no messages") {
    Bench bench;
    {
        auto transport = bench.by_flows(2);
        REQUIRE(transport.open("head\n"));
        transport.close();
        CHECK(bench.names().empty());
        REQUIRE(transport.open("head\n"));
        REQUIRE(sends_all(transport, Lines{"one", "two"}));
    }
    CHECK(bench.names() == Names{"out.0.csv"});
    {
        auto transport = bench.stamped({.every = 1h});
        REQUIRE(transport.open("head\n"));
        CHECK(bench.read("out.csv") == "head\n");
    }
    CHECK(bench.names() == Names{"out.0.csv"});
}

TEST_CASE("RotatingTransport: compressed pieces are complete streams of exactly N messages") {
    for (const std::string suffix : {".gz", ".zst"}) {
        Bench bench;
        auto transport = bench.by_flows(2, false, "out.csv" + suffix);
        REQUIRE(transport.open("head\n"));
        REQUIRE(sends_all(transport, Lines{"one", "two", "three"}));
        CHECK(transport.held() == 1);
        transport.close();
        CHECK(bench.names() == Names{"out.0.csv" + suffix, "out.1.csv" + suffix});
        const auto first = test::decompressed(suffix, bench.read("out.0.csv" + suffix)),
                   second = test::decompressed(suffix, bench.read("out.1.csv" + suffix));
        CHECK(first.text == "head\none\ntwo\n");
        CHECK(first.complete);
        CHECK(second.text == "head\nthree\n");
        CHECK(second.complete);
    }
}

TEST_CASE("RotatingTransport: a piece ends at a multiple of the interval, without a message, and is named by it") {
    Bench bench;
    auto transport = bench.stamped({.every = 1h});
    REQUIRE(transport.open("head\n"));
    REQUIRE(sends_all(transport, Lines{"one"}));
    bench.now += 55min + 54s;  // 03:59:59
    REQUIRE(transport.flush());
    CHECK(bench.names() == Names{"out.csv"});
    bench.now += 2s;
    REQUIRE(transport.flush());
    CHECK(bench.names() == Names{"out-20260102T040000Z.csv", "out.csv"});
    CHECK(bench.read("out-20260102T040000Z.csv") == "head\none\n");
    CHECK(bench.read("out.csv") == "head\n");

    bench.now += 5h;  // nothing came: nothing to keep
    REQUIRE(transport.flush());
    CHECK(bench.names() == Names{"out-20260102T040000Z.csv", "out.csv"});
    REQUIRE(sends_all(transport, Lines{"two"}));
    bench.now += 1h;
    REQUIRE(sends_all(transport, Lines{"three"}));  // a message comes before the flush
    CHECK(bench.read("out-20260102T100000Z.csv") == "head\ntwo\n");
    CHECK(bench.read("out.csv") == "head\nthree\n");
}

TEST_CASE("RotatingTransport: a clock that is set back ends the piece, too") {
    Bench bench;
    auto transport = bench.stamped({.every = 1h});
    REQUIRE(transport.open(""));
    REQUIRE(sends_all(transport, Lines{"one"}));
    bench.now -= 24h;
    REQUIRE(transport.flush());
    CHECK(bench.names() == Names{"out-20260101T030405Z.csv", "out.csv"});
}

TEST_CASE("RotatingTransport: a piece does not become larger than its size, unless one message is") {
    Bench bench;
    auto transport = bench.stamped({.size = 14});
    REQUIRE(transport.open("head\n"));  // 5 octets
    REQUIRE(sends_all(transport, Lines{"1234", "abcd", "123", "a line of many octets", "1", "2"}));
    transport.close();
    CHECK(bench.read("out-20260102T030405Z.csv") == "head\n1234\n");
    CHECK(bench.read("out-20260102T030405Z_1.csv") == "head\nabcd\n123\n");
    CHECK(bench.read("out-20260102T030405Z_2.csv") == "head\na line of many octets\n");
    CHECK(bench.read("out.csv") == "head\n1\n2\n");
}

TEST_CASE("RotatingTransport: the size of a compressed piece is that of the file") {
    Bench bench;
    auto transport = bench.stamped({.size = 1000}, false, 0, "out.csv.gz");
    REQUIRE(transport.open("head\n"));
    const auto lines = test::many_lines(100);
    int sends = 0;
    for (; bench.names().size() < 2 && sends < 100; ++sends) {
        REQUIRE(sends_all(transport, lines));
        REQUIRE(transport.flush());
    }
    CHECK(sends > 1);
    const std::string piece = bench.read("out-20260102T030405Z.csv.gz");
    CHECK(piece.size() >= 1000);
    CHECK(test::gunzip(piece).complete);
}

TEST_CASE("RotatingTransport: only the newest pieces are kept") {
    Bench bench;
    auto transport = bench.stamped({.every = 1min}, false, 2);
    REQUIRE(transport.open(""));
    for (const auto* line : {"one", "two", "three", "four"}) {
        REQUIRE(sends_all(transport, Lines{line}));
        bench.now += 1min;
        REQUIRE(transport.flush());
    }
    CHECK(bench.names() == Names{"out-20260102T030700Z.csv", "out-20260102T030800Z.csv", "out.csv"});
}

TEST_CASE("RotatingTransport: stamped, what an earlier run left is a piece of its own time") {
    Bench bench;
    bench.file("out.csv", "head\nold\n");
    bench.set_written("out.csv", bench.now - 10s);
    bench.file("out-20260102T030355Z.csv", "older\n");
    auto transport = bench.stamped({.every = 1h});
    REQUIRE(transport.open("head\n"));
    CHECK(bench.read("out-20260102T030355Z.csv") == "older\n");
    CHECK(bench.read("out-20260102T030355Z_1.csv") == "head\nold\n");
    CHECK(bench.read("out.csv") == "head\n");
}

TEST_CASE("RotatingTransport: with append it goes on in the file of the same interval and columns") {
    const struct {
        std::string name, text;
        std::chrono::seconds age;
        bool goes_on;
    } rows[] = {{"out.csv", "head\nold\n", 10s, true},
                {"out.csv", "head\nold\n", 5min, false},  // 02:59:05
                {"out.csv", "other\nold\n", 10s, false},
                {"out.csv.gz", "\x1f\x8b...", 10s, false}};
    for (const auto& row : rows) {
        CAPTURE(row.text);
        Bench bench;
        bench.file(row.name, row.text);
        bench.set_written(row.name, bench.now - row.age);
        auto transport = bench.stamped({.every = 1h}, true, 0, row.name);
        REQUIRE(transport.open("head\n"));
        REQUIRE(sends_all(transport, Lines{"new"}));
        transport.close();
        CHECK(bench.names().size() == (row.goes_on ? 1 : 2));
        if (row.goes_on) CHECK(bench.read(row.name) == "head\nold\nnew\n");
        if (!row.goes_on) CHECK(bench.read(bench.names().front()) == row.text);
    }
}

TEST_CASE("RotatingTransport: what goes on ends at the end of its interval even if nothing more comes") {
    Bench bench;
    bench.file("out.csv", "head\nold\n");
    bench.set_written("out.csv", bench.now - 10s);
    auto transport = bench.stamped({.every = 1h}, true);
    REQUIRE(transport.open("head\n"));
    bench.now += 1h;
    REQUIRE(transport.flush());
    CHECK(bench.read("out-20260102T040000Z.csv") == "head\nold\n");
}

TEST_CASE("RotatingTransport: indexed, a new run begins at 0 and with append behind the newest piece") {
    Bench bench;
    bench.file("out.0.csv", "head\nold\n");
    {
        auto transport = bench.by_flows(1, true);
        REQUIRE(transport.open("head\n"));
        REQUIRE(sends_all(transport, Lines{"new"}));
    }
    CHECK(bench.read("out.0.csv") == "head\nold\n");
    CHECK(bench.read("out.1.csv") == "head\nnew\n");
    {
        auto transport = bench.by_flows(1);
        REQUIRE(transport.open("head\n"));
        REQUIRE(sends_all(transport, Lines{"newest"}));
    }
    CHECK(bench.read("out.0.csv") == "head\nnewest\n");
}

TEST_CASE("RotatingTransport: indexed with append, what a crash left is a piece, of which nothing is lost") {
    Bench bench;
    bench.file("out.csv", "head\nold\n");
    auto transport = bench.by_flows(2, true);
    REQUIRE(transport.open("head\n"));
    REQUIRE(sends_all(transport, Lines{"one", "two"}));
    CHECK(bench.read("out.0.csv") == "head\nold\n");
    CHECK(bench.read("out.1.csv") == "head\none\ntwo\n");
}

TEST_CASE("RotatingTransport: a piece that cannot get its name is tried again, and takes no more meanwhile") {
    Bench bench;
    std::filesystem::create_directory(bench.path("out.0.csv"));  // in the way
    auto transport = bench.by_flows(2);
    REQUIRE(transport.open("head\n"));
    std::size_t sent = 0;
    const auto status = test::send(transport, Lines{"one", "two", "three"}, sent);
    REQUIRE_FALSE(status);
    CHECK(status.error().text().find(bench.path("out.0.csv")) != std::string::npos);
    CHECK(sent == 2);
    CHECK_FALSE(transport.open("head\n"));
    CHECK(bench.read("out.csv") == "head\none\ntwo\n");

    std::filesystem::remove(bench.path("out.0.csv"));
    REQUIRE(transport.open("head\n"));
    REQUIRE(sends_all(transport, Lines{"three"}));
    CHECK(bench.read("out.0.csv") == "head\none\ntwo\n");
    CHECK(bench.read("out.csv") == "head\nthree\n");
}

TEST_CASE("RotatingTransport: a full disk loses nothing, and no piece gets more or fewer messages by it") {
    for (const std::string suffix : {"", ".gz"}) {
        Bench bench;
        auto transport = bench.by_flows(3, false, "out.csv" + suffix);
        REQUIRE(transport.open("head\n"));
        const Lines lines{"line 0", "line 1", "line 2", "line 3"};
        std::size_t sent = 0;
        Status status = ok();
        {
            const test::FileSizeLimit limit(16);
            status = test::send(transport, lines, sent);
        }
        CHECK_FALSE(status);
        REQUIRE(transport.open("head\n"));
        REQUIRE(sends_all(transport, lines.from(sent)));
        transport.close();
        const auto read = [&](const std::string& name) {
            const std::string text = bench.read(name + suffix);
            return suffix.empty() ? text : test::gunzip(text).text;
        };
        CHECK(read("out.0.csv") == "head\nline 0\nline 1\nline 2\n");
        CHECK(read("out.1.csv") == "head\nline 3\n");
    }
}

TEST_CASE("RotatingTransport: a file that was taken away is not missed, another's is not renamed") {
    Bench bench;
    auto transport = bench.by_flows(2);
    REQUIRE(transport.open("head\n"));
    REQUIRE(sends_all(transport, Lines{"one"}));
    std::filesystem::rename(bench.path("out.csv"), bench.path("taken"));
    bench.file("out.csv", "head\nof another\n");
    REQUIRE(sends_all(transport, Lines{"two"}));
    CHECK(bench.names() == Names{"out.csv", "taken"});
    CHECK(bench.read("taken") == "head\none\ntwo\n");
    CHECK(bench.read("out.csv") == "head\nof another\n");
}

TEST_CASE("RotatingTransport: a pipe cannot be rotated") {
    Bench bench;
    REQUIRE(::mkfifo(bench.path("out.csv").c_str(), 0600) == 0);
    auto transport = bench.by_flows(2);
    const auto status = transport.open("head\n");
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace nfstreamd::exporters
