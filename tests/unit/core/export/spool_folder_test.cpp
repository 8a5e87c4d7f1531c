// SPDX-License-Identifier: Apache-2.0
#include "core/export/spool_folder.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits>
#include <set>

#include "tests/support/files.hpp"

namespace nfstreamd {
namespace {

TEST_CASE("SpoolFolder: names never share a folder, and none leads elsewhere") {
    const std::string base = "/var/spool/nfstreamd";
    std::set<std::string> paths;
    for (const char* name : {"main", "a/b", "a%2fb", "..", ".", "a b", "A b", "a.b", "..a", "\xc3\xa4"}) {
        const std::string path = SpoolFolder(base, name).path();
        CHECK_MESSAGE(paths.insert(path).second, name);
        CHECK(path.starts_with(base + "/"));
        CHECK(path.find('/', base.size() + 1) == std::string::npos);
        CHECK_FALSE(path.ends_with("/.."));
    }
    CHECK(SpoolFolder(base, "main").path() == base + "/main");
    CHECK(SpoolFolder(base + "/", "main").path() == base + "/main");
}

TEST_CASE("SpoolFolder: makes what is missing, for its user and group only") {
    const test::ScratchFolder folder;
    SpoolFolder spool(folder.path("a/b"), "main");
    REQUIRE(spool.open());
    struct stat info {};
    REQUIRE(::stat(spool.path().c_str(), &info) == 0);
    CHECK((info.st_mode & 07777 & ~0750u) == 0);
    CHECK(spool.segments().empty());
    CHECK_FALSE(spool.cursor().has_value());
}

TEST_CASE("SpoolFolder: one at a time; another exporter of this process is only asked to wait") {
    const test::ScratchFolder folder;
    SpoolFolder first(folder.path(""), "main"), second(folder.path(""), "main");
    REQUIRE(first.open());
    const auto refused = second.open();
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::kBusy);
    CHECK(second.check().has_value());
    first.close();
    CHECK(second.open().has_value());
}

TEST_CASE("SpoolFolder: one of another process is an error that names it") {
    const test::ScratchFolder folder;
    int ready[2], end[2];
    REQUIRE(::pipe(ready) == 0);
    REQUIRE(::pipe(end) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        SpoolFolder held(folder.path(""), "main");
        char octet = held.open() ? 'y' : 'n';
        if (::write(ready[1], &octet, 1) != 1 || ::read(end[0], &octet, 1) != 1) ::_exit(1);
        ::_exit(0);
    }
    char octet = 0;
    REQUIRE(::read(ready[0], &octet, 1) == 1);
    CHECK(octet == 'y');
    const auto used = SpoolFolder(folder.path(""), "main").check();
    REQUIRE_FALSE(used.has_value());
    CHECK(used.error().text().find("in use by process " + std::to_string(child)) != std::string::npos);
    REQUIRE(::write(end[1], &octet, 1) == 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
    CHECK(SpoolFolder(folder.path(""), "main").check().has_value());
    for (const int descriptor : {ready[0], ready[1], end[0], end[1]}) ::close(descriptor);
}

TEST_CASE("SpoolFolder: says what is in the way") {
    const test::ScratchFolder folder;
    folder.file("file", "");
    const auto in_the_way = SpoolFolder(folder.path("file"), "main").check();
    REQUIRE_FALSE(in_the_way.has_value());
    CHECK(in_the_way.error().text().find(folder.path("file")) != std::string::npos);
    CHECK_FALSE(SpoolFolder("/proc/no-such-folder", "main").check().has_value());
}

TEST_CASE("SpoolFolder: the cursor is what was written last; a damaged one is none") {
    const test::ScratchFolder folder;
    const SpoolFolder spool(folder.path(""), "main");
    std::filesystem::create_directory(spool.path());
    const SpoolPosition position{.segment = 7, .offset = 1 << 20, .before = 3, .skip = 2};
    REQUIRE(spool.write_cursor({.segment = 1}));
    REQUIRE(spool.write_cursor(position));
    REQUIRE(spool.cursor().has_value());
    CHECK((*spool.cursor() == position));
    const std::string good = folder.read("main/cursor");
    for (std::size_t i = 0; i + 1 < good.size(); ++i) {
        std::string bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        folder.file("main/cursor", bad);
        CHECK_FALSE(spool.cursor().has_value());
        folder.file("main/cursor", good.substr(0, i));
        CHECK_FALSE(spool.cursor().has_value());
    }
}

TEST_CASE("SpoolFolder: what is spelt otherwise or has a number that no spool comes to is none of its own") {
    const test::ScratchFolder folder;
    const SpoolFolder spool(folder.path(""), "main");
    std::filesystem::create_directory(spool.path());
    for (const char* name : {"00000000000000ab", "00000000000000AB", "ffffffffffffffff", "8000000000000000"})
        folder.file(std::string("main/") + name + ".spool", "x");
    CHECK(spool.segments() == std::vector<std::uint64_t>{0xab});
    REQUIRE(spool.write_cursor({.segment = std::numeric_limits<std::uint64_t>::max()}));
    CHECK_FALSE(spool.cursor().has_value());
    REQUIRE(spool.write_cursor({.segment = 0xab}));
    CHECK(spool.cursor().has_value());
}

TEST_CASE("SpoolFolder: sets aside only so much") {
    const test::ScratchFolder folder;
    const SpoolFolder spool(folder.path(""), "main");
    std::filesystem::create_directory(spool.path());
    for (std::uint64_t number = 1; number <= 3; ++number) {
        folder.file("main/" + std::filesystem::path(spool.segment(number)).filename().string(), std::string(40, 'x'));
    }
    CHECK(spool.segments() == std::vector<std::uint64_t>{1, 2, 3});
    CHECK(spool.set_aside(1, 100));
    CHECK(spool.set_aside(2, 100));
    CHECK_FALSE(spool.set_aside(3, 100));
    CHECK(spool.segments().empty());
    CHECK(std::filesystem::exists(spool.segment(1) + ".foreign"));
    CHECK_FALSE(std::filesystem::exists(spool.segment(3) + ".foreign"));
}

}  // namespace
}  // namespace nfstreamd
