// SPDX-License-Identifier: Apache-2.0
#include "exporters/plugin/plugin_exporter.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "tests/support/captured_log.hpp"
#include "tests/support/recording_exporter.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace nfstreamd;
using namespace nfstreamd::exporters;

namespace {

struct Fixture {
    test::CapturedLog log;
    PluginExporter exporter;
    RecordBatchPtr batch = test::make_batch(1, 5);
    std::size_t consumed = 0;

    Fixture(const std::string& plugin, PluginSettings settings = {})
        : exporter({.name = "out",
                    .path = std::string(NFSTREAMD_PLUGIN_DIR "/") + plugin + ".so",
                    .settings = std::move(settings),
                    .fields = nfstream_fields({}),
                    .groups = {}},
                   log.logger()) {}

    Status write() { return exporter.write(*batch, consumed, consumed); }
    std::uint64_t records() const { return exporter.counters().records.get(); }
    std::uint64_t failures() const { return exporter.counters().failures.get(); }
    std::uint64_t lost() const { return exporter.counters().dropped_failed.get(); }
};

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

std::string open_error(const std::string& plugin) {
    Fixture fixture(plugin);
    const Status status = fixture.exporter.open();
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kInvalidArgument);
    CHECK(fixture.failures() == 1);
    CHECK(fixture.exporter.counters().up.get() == 0);
    CHECK_FALSE(fixture.write());
    return status.error().text();
}

std::string read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("PluginExporter: what cannot be loaded is an error that says why") {
    CHECK(contains(open_error("no_such_plugin"), "no_such_plugin.so"));
    CHECK(contains(open_error("no_symbol"), "nfstreamd_exporter"));
    CHECK(contains(open_error("wrong_abi"), "made for version 2 of the interface, this is version 1"));
    CHECK(contains(open_error("incomplete"), "not complete"));
}

TEST_CASE("PluginExporter: the example counts flows and octets into its file") {
    const test::TemporaryFolder folder;
    {
        Fixture fixture("example_exporter", {{"file", folder.path("lines")}});
        REQUIRE(fixture.exporter.open());
        CHECK(fixture.exporter.counters().up.get() == 1);
        REQUIRE(fixture.write());
        CHECK(fixture.consumed == 5);
        REQUIRE(fixture.exporter.flush());
        CHECK(read(folder.path("lines")) == "5 0\n");
        fixture.consumed = 2;
        REQUIRE(fixture.write());
        fixture.exporter.close();
        CHECK(fixture.records() == 8);
        CHECK(fixture.failures() == 0);
        CHECK(fixture.exporter.counters().up.get() == 0);
    }
    CHECK(read(folder.path("lines")) == "5 0\n8 0\n");
}

TEST_CASE("PluginExporter: wrong settings are the plugin's to tell") {
    Fixture fixture("example_exporter");
    const Status status = fixture.exporter.open();
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kInvalidArgument);
    CHECK(contains(status.error().text(), "needs a setting file=PATH"));
}

TEST_CASE("PluginExporter: what fails to open is opened again, its reason is made readable") {
    Fixture fixture("fails_open", {{"times", "2"}, {"code", "2"}});
    for (int round = 0; round < 2; ++round) {
        const Status status = fixture.exporter.open();
        REQUIRE_FALSE(status);
        CHECK(status.error().code == ErrorCode::kUnavailable);
        CHECK(contains(status.error().text(), "nobody listens  there"));
    }
    REQUIRE(fixture.exporter.open());
    REQUIRE(fixture.write());
    CHECK(fixture.failures() == 2);
    CHECK(fixture.exporter.counters().connects.get() == 1);
    CHECK(fixture.records() == 5);
}

TEST_CASE("PluginExporter: a busy one is asked again behind what it took, and is no failure") {
    Fixture fixture("slow");
    REQUIRE(fixture.exporter.open());
    for (std::size_t taken = 1; taken < 5; ++taken) {
        const Status status = fixture.write();
        REQUIRE_FALSE(status);
        CHECK(status.error().code == ErrorCode::kBusy);
        CHECK(fixture.consumed == taken);
        CHECK(fixture.records() == taken);
    }
    REQUIRE(fixture.write());
    CHECK(fixture.records() == 5);
    CHECK(fixture.failures() == 0);
    fixture.consumed = 0;
    fixture.exporter.set_patience(std::chrono::milliseconds(0));
    CHECK(contains(fixture.write().error().text(), "no patience"));
}

TEST_CASE("PluginExporter: records that were not delivered at the end move to dropped_failed") {
    Fixture fixture("slow", {{"lose", "2"}});
    REQUIRE(fixture.exporter.open());
    for (int i = 0; i < 4; ++i) CHECK_FALSE(fixture.write());
    REQUIRE(fixture.write());
    fixture.exporter.close();
    CHECK(fixture.records() == 3);
    CHECK(fixture.lost() == 2);
}

TEST_CASE("PluginExporter: numbers and codes that cannot be are errors, and a fresh instance goes on") {
    const std::pair<const char*, const char*> kLies[] = {
        {"beyond", "took records up to number 1005 of 5 from number 0"},
        {"before", "took records up to number"},
        {"early", "said ok but left 4 of 5 records"},
        {"code", "gave 4711, which is no code"}};
    for (const auto& lie : kLies) {
        const std::string_view how = lie.first, words = lie.second;
        CAPTURE(how);
        Fixture fixture("lies", {{"how", std::string(how)}});
        REQUIRE(fixture.exporter.open());
        const Status status = fixture.write();
        REQUIRE_FALSE(status);
        CHECK(status.error().code == ErrorCode::kInternal);
        CHECK(contains(status.error().text(), words));
        CHECK(fixture.failures() == 1);
        CHECK(fixture.consumed == (how == "early" ? 1 : 0));
        CHECK(fixture.records() == fixture.consumed);
        CHECK_FALSE(fixture.write());
        CHECK(fixture.exporter.open());
    }
}

TEST_CASE("PluginExporter: more losses than records were taken are as many as were taken") {
    Fixture fixture("lies", {{"how", "lost"}});
    REQUIRE(fixture.exporter.open());
    REQUIRE(fixture.write());
    fixture.exporter.close();
    CHECK(fixture.records() == 0);
    CHECK(fixture.lost() == 5);
    CHECK(contains(fixture.log.text(), "lost more records than it took"));
}

TEST_CASE("PluginExporter: an exception ends at our edge, whatever it is and wherever it comes from") {
    for (const char* where : {"create", "open", "write", "pause", "flush", "close"})
        for (const char* what : {"exception", "number"}) {
            CAPTURE(where);
            Fixture fixture("throws", {{"where", where}, {"what", what}});
            Status status = fixture.exporter.open();
            if (status) status = fixture.write();
            if (status) status = fixture.exporter.pause();
            if (status) status = fixture.exporter.flush();
            const bool in_close = std::string_view(where) == "close";
            CHECK(status.has_value() == in_close);
            fixture.exporter.close();
            const std::string told = in_close ? fixture.log.text() : status.error().text();
            const bool has_text = std::string_view(what) == "exception";
            CHECK(contains(told, std::string(where) + (has_text ? " threw a broken promise" : " threw something")));
        }
}

TEST_CASE("PluginExporter: closed and opened again it begins anew") {
    const test::TemporaryFolder folder;
    Fixture fixture("example_exporter", {{"file", folder.path("lines")}});
    for (int round = 0; round < 2; ++round) {
        REQUIRE(fixture.exporter.open());
        fixture.consumed = 0;
        REQUIRE(fixture.write());
        fixture.exporter.close();
        fixture.exporter.close();
    }
    CHECK(read(folder.path("lines")) == "5 0\n5 0\n");
    CHECK(fixture.records() == 10);
}
