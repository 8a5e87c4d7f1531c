// SPDX-License-Identifier: Apache-2.0
#include "exporters/file_exporter.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/support/decompressed.hpp"
#include "tests/support/exporter_settings.hpp"
#include "tests/support/files.hpp"
#include "tests/support/recording_exporter.hpp"

namespace nfstreamd::exporters {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;
using Edit = std::function<void(config::Settings&)>;

Edit set(std::string name, config::SettingValue value) {
    return [=](config::Settings& settings) { settings.set(name, value, "t.yaml:3:3", true); };
}

Result<std::unique_ptr<Exporter>> make(const std::string& path, const std::vector<Edit>& edits,
                                       const ExporterType& type = kCsvExporterType) {
    auto settings = test::default_settings(type.name);
    settings.set("path", path, "t.yaml:2:3", true);
    settings.set("fields", std::vector<std::string>{"id", "src_ip"}, "", true);
    for (const auto& edit : edits) edit(settings);
    return type.make({"out", settings, FieldGroups{}, 0, 0, test::quiet_logger()});
}

void write(const std::string& path, std::size_t records, const std::vector<Edit>& edits,
           const ExporterType& type = kCsvExporterType) {
    auto made = make(path, edits, type);
    REQUIRE(made);
    REQUIRE(made.value()->open());
    std::size_t consumed = 0;
    REQUIRE(made.value()->write(*test::make_batch(0, records), 0, consumed));
    made.value()->close();
    CHECK(made.value()->counters().records.get() == records);
}

std::string error_of(const std::vector<Edit>& edits, const std::string& path = "out.csv") {
    const auto made = make(path, edits);
    return made ? "none" : made.error().text();
}

TEST_CASE("csv and json: flows_per_file and rotate_files name files as nfstream does") {
    const test::ScratchFolder folder;
    write(folder.path("out.csv"), 5, {set("flows_per_file", std::int64_t{2})});
    CHECK(folder.names() == Names{"out.0.csv", "out.1.csv", "out.2.csv"});
    CHECK(folder.read("out.2.csv") == "id,src_ip\n4,\n");
    write(folder.path("a.json"), 5, {set("flows_per_file", std::int64_t{2}), set("rotate_files", std::int64_t{2})},
          kJsonExporterType);
    CHECK(folder.read("a.0.json") == "{\"id\":4,\"src_ip\":\"\"}\n");
    CHECK(folder.read("a.1.json") == "{\"id\":2,\"src_ip\":\"\"}\n{\"id\":3,\"src_ip\":\"\"}\n");
}

TEST_CASE("csv: with rotate.size flows_per_file is one more limit, and pieces have a time stamp") {
    const test::ScratchFolder folder;
    write(folder.path("out.csv"), 5, {set("flows_per_file", std::int64_t{2}), set("rotate.size", std::int64_t{1000})});
    const auto names = folder.names();
    REQUIRE(names.size() == 3);
    CHECK(names[0].starts_with("out-2"));
    CHECK(names[2] == "out.csv");
}

TEST_CASE("csv: the suffix compresses") {
    const test::ScratchFolder folder;
    for (const std::string name : {"out.csv.gz", "out.csv.zst"}) {
        write(folder.path(name), 2, {});
        const auto read = test::decompressed(name, folder.read(name));
        CHECK(read.text == "id,src_ip\n0,\n1,\n");
        CHECK(read.complete);
    }
}

TEST_CASE("csv: a compressed file is not appended to, it gets a time stamp and nothing is lost") {
    const test::ScratchFolder folder;
    write(folder.path("out.csv.zst"), 1, {});
    const std::string before = folder.read("out.csv.zst");
    write(folder.path("out.csv.zst"), 2, {set("append", true)});
    const auto names = folder.names();
    REQUIRE(names.size() == 2);
    CHECK(folder.read(names[0]) == before);
    CHECK(test::unzstd(folder.read("out.csv.zst")).text == "id,src_ip\n0,\n1,\n");
}

TEST_CASE("csv and json: a setting without an effect is an error at its place") {
    const auto one = std::int64_t{1};
    CHECK(error_of({set("rotate_files", one)}) == "t.yaml:3:3: rotate_files: needs flows_per_file");
    CHECK(error_of({set("rotate_files", one), set("flows_per_file", one), set("rotate.size", one)}) ==
          "t.yaml:3:3: rotate_files: does not go with rotate, which has keep");
    CHECK(error_of({set("rotate.keep", one)}) == "t.yaml:3:3: rotate.keep: needs rotate.every or rotate.size");
    CHECK(error_of({set("rotate.every", 10ms)}) == "t.yaml:3:3: rotate.every: must be 1s or more");
    CHECK(error_of({set("rotate.every", 1h)}, "-") == "t.yaml:2:3: path: standard output cannot be rotated");
    CHECK(error_of({}, "/tmp/") == "t.yaml:2:3: path: must name a file, not a folder");
    CHECK(error_of({set("anonymization_key", std::string("0123456789abcdef"))}) ==
          "t.yaml:3:3: anonymization_key: needs columns_to_anonymize");
}

TEST_CASE("csv and json: a column to anonymize must be one, as a typing error would tell the value") {
    const auto columns = [](std::string name) { return set("columns_to_anonymize", std::vector<std::string>{name}); };
    CHECK(error_of({columns("src_ipp")}) == "t.yaml:3:3: columns_to_anonymize: there is no column \"src_ipp\"");
    CHECK(error_of({columns("dst_ip")}) == "none");  // not sent
    CHECK(error_of({columns("src_ip"), set("anonymization_key", std::string("short"))})
              .starts_with("t.yaml:3:3: anonymization_key: is too short"));
}

TEST_CASE("csv: exporters of one run have the same pseudonyms without a key, and those of their key with one") {
    const test::ScratchFolder folder;
    const auto text = [&](const std::vector<Edit>& more) {
        std::vector<Edit> edits{set("fields", std::vector<std::string>{"src_port"}),
                                set("columns_to_anonymize", std::vector<std::string>{"src_port"})};
        edits.insert(edits.end(), more.begin(), more.end());
        write(folder.path("out.csv"), 1, edits);
        return folder.read("out.csv");
    };
    const std::string random = text({});
    CHECK(random.size() == 9 + 128 + 1);
    CHECK(text({}) == random);
    CHECK(text({set("anonymization_key", std::string("a secret of many letters"))}) != random);
}

}  // namespace
}  // namespace nfstreamd::exporters
