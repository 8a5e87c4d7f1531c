// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/bug_report.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/temporary_folder.hpp"

namespace nfstreamd::ctl {

TEST_CASE("bug report: no secret and no user of a URL is left in it") {
    const auto text = without_secrets(
        "password: hunter2-long\nlog: said hunter2-long, hunter2\n\"nats://me:geheim@host:4222\" http://host/a@b",
        {"hunter2-long", "hunter2"});
    CHECK(text == "password: ********\nlog: said ********, ********\n\"nats://********@host:4222\" http://host/a@b");
}

TEST_CASE("bug report: a new file, for its owner alone; what is there stays") {
    const test::TemporaryFolder folder;
    const auto path = folder.path("report");
    REQUIRE(write_new_file(path, "content\n"));
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    const auto again = write_new_file(path, "other");
    REQUIRE_FALSE(again);
    CHECK(again.error().where == path);
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    CHECK(line == "content");
}

}  // namespace nfstreamd::ctl
