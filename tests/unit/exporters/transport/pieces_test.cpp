// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/pieces.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/files.hpp"

namespace nfstreamd::exporters {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

const Pieces::Time kMoment{1'767'323'045s};  // 2026-01-02T03:04:05Z

void touch(const test::ScratchFolder& folder, const std::string& name, std::chrono::seconds age) {
    std::filesystem::last_write_time(folder.file(name, name), std::filesystem::file_time_type::clock::now() - age);
}

TEST_CASE("Pieces: an index stands before each csv of the name, as in nfstream") {
    CHECK(Pieces::indexed("/csv/out.csv", "csv", 0).name_of(0) == "out.0.csv");
    CHECK(Pieces::indexed("out.csv.gz", "csv", 0).name_of(12) == "out.12.csv.gz");
    CHECK(Pieces::indexed("a.json", "json", 0).name_of(3) == "a.3.json");
    CHECK(Pieces::indexed("csv_out.csv", "csv", 0).name_of(1) == "1.csv_out.1.csv");
}

TEST_CASE("Pieces: in a name without the word the index stands before the suffix") {
    CHECK(Pieces::indexed("/x/flows.txt", "csv", 0).name_of(7) == "flows.7.txt");
    CHECK(Pieces::indexed("flows", "csv", 0).name_of(7) == "flows.7");
    CHECK(Pieces::indexed("flows.zst", "csv", 0).name_of(7) == "flows.7.zst");
}

TEST_CASE("Pieces: a stamp is the moment in UTC, before the suffix") {
    const std::pair<std::string, std::string> rows[] = {{"my.flows.csv.gz", "my.flows-20260102T030405Z.csv.gz"},
                                                        {"flows", "flows-20260102T030405Z"}};
    for (const auto& [name, piece] : rows) {
        const test::ScratchFolder folder;
        folder.file(name, "");
        REQUIRE(Pieces::stamped(folder.path(name), 0).put_away(kMoment));
        CHECK(folder.names() == Names{piece});
    }
}

TEST_CASE("Pieces: indexed ones count up, and replace the first after the last") {
    const test::ScratchFolder folder;
    auto pieces = Pieces::indexed(folder.path("out.csv"), "csv", 2);
    for (const auto* text : {"a", "b", "c"}) {
        folder.file("out.csv", text);
        REQUIRE(pieces.put_away(kMoment));
    }
    CHECK(folder.names() == Names{"out.0.csv", "out.1.csv"});
    CHECK(folder.read("out.0.csv") == "c");
    CHECK(folder.read("out.1.csv") == "b");
}

TEST_CASE("Pieces: indexed ones go on behind the newest, which need not have the highest index") {
    const test::ScratchFolder folder;
    const auto next = [&](std::uint64_t most) {
        auto pieces = Pieces::indexed(folder.path("out.csv"), "csv", most);
        pieces.go_on();
        folder.file("out.csv", "new");
        REQUIRE(pieces.put_away(kMoment));
    };
    touch(folder, "out.3.csv", 50s);
    touch(folder, "out.9.csv", 100s);
    touch(folder, "out.04.csv", 1s);  // not ours
    touch(folder, "xout.5.csv", 1s);
    next(0);
    CHECK(folder.read("out.4.csv") == "new");
    next(5);
    CHECK(folder.read("out.0.csv") == "new");
}

TEST_CASE("Pieces: stamped ones never replace a file") {
    const test::ScratchFolder folder;
    auto pieces = Pieces::stamped(folder.path("out.csv"), 0);
    for (const auto* text : {"a", "b", "c"}) {
        folder.file("out.csv", text);
        REQUIRE(pieces.put_away(kMoment));
    }
    CHECK(folder.names() ==
          Names{"out-20260102T030405Z.csv", "out-20260102T030405Z_1.csv", "out-20260102T030405Z_2.csv"});
    CHECK(folder.read("out-20260102T030405Z.csv") == "a");
    CHECK(folder.read("out-20260102T030405Z_2.csv") == "c");
}

TEST_CASE("Pieces: a name of the same second that has become free is not used again") {
    const test::ScratchFolder folder;
    auto pieces = Pieces::stamped(folder.path("out.csv"), 1);
    for (const auto* text : {"a", "b", "c"}) {
        folder.file("out.csv", text);
        REQUIRE(pieces.put_away(kMoment));
        REQUIRE(pieces.remove_old());
        REQUIRE(folder.names().size() == 1);
        CHECK(folder.read(folder.names()[0]) == text);
    }
    folder.file("out.csv", "of the next process");
    auto next = Pieces::stamped(folder.path("out.csv"), 1);
    REQUIRE(next.put_away(kMoment));
    REQUIRE(next.remove_old());
    CHECK(folder.names() == Names{"out-20260102T030405Z_3.csv"});
}

TEST_CASE("Pieces: the oldest beyond the number to keep are removed, and nothing that is not ours") {
    const test::ScratchFolder folder;
    const Names others{"out-2026.csv",
                       "out-20260102T030405.csv",
                       "out-20260101T000000Z.csv.gz",
                       "out-20260101T000000Z_0.csv",
                       "out-20260101T000000Z_x.csv",
                       "out-20260101T000000Za.csv",
                       "other-20260101T000000Z.csv"};
    for (const auto& name : others) folder.file(name, "");
    for (const auto* name : {"out-20260102T030405Z_10.csv", "out-20260102T030405Z.csv", "out-20260102T030405Z_9.csv",
                             "out-20251231T235959Z.csv"})
        folder.file(name, "");
    folder.file("out.csv", "");
    auto pieces = Pieces::stamped(folder.path("out.csv"), 2);
    REQUIRE(pieces.put_away(kMoment));
    REQUIRE(pieces.remove_old());
    Names expected = others;
    expected.insert(expected.end(), {"out-20260102T030405Z_10.csv", "out-20260102T030405Z_11.csv"});
    std::sort(expected.begin(), expected.end());
    CHECK(folder.names() == expected);
}

TEST_CASE("Pieces: after the clock was set back the newest piece is not taken for the oldest") {
    const test::ScratchFolder folder;
    for (const auto* name : {"out-20260105T000000Z.csv", "out-20260106T000000Z.csv", "out-20260101T000000Z.csv"})
        folder.file(name, "");
    folder.file("out.csv", "");
    auto pieces = Pieces::stamped(folder.path("out.csv"), 2);
    REQUIRE(pieces.put_away(kMoment));
    REQUIRE(pieces.remove_old());
    CHECK(folder.names() == Names{"out-20260101T000000Z.csv", "out-20260102T030405Z.csv"});
}

TEST_CASE("Pieces: a file that cannot be renamed is an error that says where") {
    const test::ScratchFolder folder;
    auto pieces = Pieces::indexed(folder.path("out.csv"), "csv", 0);
    const auto status = pieces.put_away(kMoment);
    REQUIRE_FALSE(status);
    CHECK(status.error().text() ==
          folder.path("out.csv") + ": cannot rename to " + folder.path("out.0.csv") + ": No such file or directory");
}

}  // namespace
}  // namespace nfstreamd::exporters
