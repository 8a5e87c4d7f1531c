// SPDX-License-Identifier: Apache-2.0
#include "exporters/registry.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "tests/support/exporter_settings.hpp"
#include "tests/support/recording_exporter.hpp"
#include "tests/support/temporary_folder.hpp"

namespace nfstreamd::exporters {
namespace {

using namespace std::chrono_literals;

config::Settings file_settings(const std::string& path) {
    auto settings = test::default_settings("csv");
    settings.set_origin("t.yaml:1:1");
    settings.set("path", path, "t.yaml:2:3", true);
    settings.set("rate_limit", 250.5, "", true);
    settings.set("flush_interval", 200ms, "", true);
    return settings;
}

Result<std::unique_ptr<Exporter>> make(std::string_view type, const config::Settings& settings) {
    const ExporterType* found = find_exporter_type(type);
    REQUIRE(found != nullptr);
    return found->make({"out", settings, FieldGroups{}, 0, 0, test::quiet_logger()});
}

std::string written(std::string_view type, config::Settings settings) {
    const test::TemporaryFolder folder;
    settings.set("path", folder.path("out"), "", true);
    auto made = make(type, settings);
    REQUIRE(made);
    Exporter& exporter = *made.value();
    REQUIRE(exporter.open());
    std::size_t consumed = 0;
    REQUIRE(exporter.write(*test::make_batch(41, 2), 0, consumed));
    exporter.close();
    std::ifstream in(folder.path("out"), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

TEST_CASE("exporter_types: names are unique and found, an unknown one is not") {
    std::set<std::string_view> names;
    for (const auto& type : exporter_types()) {
        CHECK(names.insert(type.name).second);
        CHECK(find_exporter_type(type.name) == &type);
        CHECK_FALSE(type.summary.empty());
        CHECK((type.make != nullptr));
    }
    CHECK(names.count("csv") == 1);
    CHECK(names.count("json") == 1);
#ifdef NFSTREAMD_WITH_IPFIX
    CHECK(names.count("ipfix") == 1);
#endif
    CHECK(find_exporter_type("carrier_pigeon") == nullptr);
}

TEST_CASE("exporter_schemas: each type has its own settings, then the common ones and those of a network, none twice") {
    const auto schemas = exporter_schemas();
    REQUIRE(schemas.size() == exporter_types().size());
    for (std::size_t i = 0; i < schemas.size(); ++i) {
        const auto& type = exporter_types()[i];
        CHECK(schemas[i].type == type.name);
        const auto last = type.network ? network_settings() : common_settings();
        REQUIRE(schemas[i].settings.size() ==
                type.settings.size() + common_settings().size() + (type.network ? network_settings().size() : 0));
        std::set<std::string_view> names;
        for (const auto& setting : schemas[i].settings) {
            CHECK(names.insert(setting.name).second);
            CHECK(setting.description.ends_with('.'));
        }
        CHECK(schemas[i].settings.back().name == last.back().name);
    }
    CHECK_FALSE(find_exporter_type("csv")->network);
    CHECK_FALSE(find_exporter_type("json")->network);
}

#ifdef NFSTREAMD_WITH_IPFIX
TEST_CASE("spool_options: none unless a directory is given") {
    auto settings = test::default_settings("ipfix");
    CHECK(spool_options(settings).directory.empty());
    CHECK(spool_options(settings).max_octets == 1 << 30);
    settings.set("spool.directory", std::string("/var/spool/nfstreamd"), "", true);
    settings.set("spool.max_size", std::int64_t{5} << 30, "", true);
    CHECK((spool_options(settings) == SpoolOptions{"/var/spool/nfstreamd", std::uint64_t{5} << 30}));
}
#endif

TEST_CASE("exporting_options: takes the common settings, records of a queue as batches") {
    auto settings = file_settings("x");
    auto options = exporting_options(settings);
    CHECK(options.rate_limit == 250.5);
    CHECK(options.flush_interval == 200ms);
    CHECK(options.queue_batches == 4096);
    settings.set("queue_records", std::int64_t{65}, "", true);
    CHECK(exporting_options(settings).queue_batches == 2);
}

TEST_CASE("csv: a file with nfstream's columns") {
    const std::string text = written("csv", file_settings(""));
    CHECK(text.starts_with("id,expiration_id,src_ip,"));
    CHECK(text.find("\n41,0,") != std::string::npos);
    CHECK(text.find("\n42,0,") != std::string::npos);
    CHECK(text.find("splt_ps") == std::string::npos);  // a group that is off
}

TEST_CASE("csv and json: `fields` chooses and orders the columns") {
    auto settings = file_settings("");
    settings.set("fields", std::vector<std::string>{"src_port", "id"}, "t.yaml:3:3", true);
    CHECK(written("csv", settings) == "src_port,id\n0,41\n0,42\n");
    CHECK(written("json", settings) == "{\"src_port\":0,\"id\":41}\n{\"src_port\":0,\"id\":42}\n");
}

TEST_CASE("csv and json: `schema` chooses the generation whose columns there are") {
    auto settings = file_settings("");
    settings.set("schema", std::string("nfstream0"), "t.yaml:3:3", true);
    CHECK(written("csv", settings).starts_with("ip_src,src_port,ip_dst,dst_port,ip_protocol,src_to_dst_pkts,"));
    CHECK(written("json", settings).starts_with("{\"ip_src\":"));
    settings.set("fields", std::vector<std::string>{"export_reason", "flow_end_reason"}, "t.yaml:4:3", true);
    CHECK(written("csv", settings) == "export_reason,flow_end_reason\n0,1\n0,1\n");
}

TEST_CASE("csv: the schema nfstream3 needs meters that number flows from their creation on") {
    auto settings = file_settings("x");
    settings.set("schema", std::string("nfstream3"), "t.yaml:3:3", true);
    const auto refused = make("csv", settings);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().text().starts_with("t.yaml:3:3: schema: nfstream3 needs "));
    const auto made =
        find_exporter_type("csv")->make({"out", settings, FieldGroups{.nfstream3 = true}, 0, 0, test::quiet_logger()});
    CHECK(made);
}

TEST_CASE("csv: a wrong field is an error at its place") {
    auto settings = file_settings("x");
    settings.set("fields", std::vector<std::string>{"src_prot"}, "t.yaml:3:3", true);
    const auto made = make("csv", settings);
    REQUIRE_FALSE(made);
    CHECK(made.error().code == ErrorCode::kInvalidArgument);
    CHECK(made.error().text().starts_with("t.yaml:3:3: fields: "));
    CHECK(made.error().message.find("src_prot") != std::string::npos);
}

TEST_CASE("csv: an empty path is an error at its place") {
    const auto made = make("csv", file_settings(""));
    REQUIRE_FALSE(made);
    CHECK(made.error().text() == "t.yaml:2:3: path: must not be empty");
}

TEST_CASE("csv and json: own their path, and name it") {
    for (const auto* type : {"csv", "json"}) {
        CHECK(find_exporter_type(type)->exclusive);
        const auto made = make(type, file_settings("flows.out"));
        REQUIRE(made);
        CHECK(made.value()->description() == "flows.out");
    }
}

TEST_CASE("exporters_text: shows each type, its settings, and the common ones once") {
    const std::string text = exporters_text();
    for (const auto& type : exporter_types()) CHECK(text.find(std::string(type.name) + ": ") != std::string::npos);
    CHECK(text.find("    path                 string    required           File to write") != std::string::npos);
    CHECK(text.find("    append               bool      default false      ") != std::string::npos);
    CHECK(text.find("    queue_records        integer   default 262144     ") != std::string::npos);
    CHECK(text.find("queue_records ") == text.rfind("queue_records "));
}

TEST_CASE("make_record_selector: none when nothing is chosen, else what the settings say, errors with their place") {
    config::Settings settings;
    settings.set("filter", std::string(), "", false);
    settings.set("flow_sampling.method", std::string("systematic"), "", false);
    settings.set("flow_sampling.rate", std::int64_t{1}, "", false);
    CHECK(make_record_selector(settings, {}).value() == nullptr);

    settings.set("flow_sampling.rate", std::int64_t{2}, "", true);
    auto half = make_record_selector(settings, {});
    REQUIRE(half.value() != nullptr);
    CHECK(half.value()->select(test::make_batch(0, 9))->records.size() == 5);
    settings.set("filter", std::string("id >= 5"), "t.yaml:7:13", true);
    auto filtered = make_record_selector(settings, {});
    CHECK(filtered.value()->select(test::make_batch(0, 9))->records.size() == 2);
    CHECK(filtered.value()->filtered() == 5);
    CHECK(filtered.value()->sampled_out() == 2);

    settings.set("filter", std::string("id >= 5 and bidirectional_max_ps > 1"), "t.yaml:7:13", true);
    const auto off = make_record_selector(settings, {});
    REQUIRE_FALSE(off);
    CHECK(off.error().where == "t.yaml:7:13");
    CHECK(off.error().message ==
          "filter: column 13: \"bidirectional_max_ps\" needs metering.statistical_analysis: true");
}

}  // namespace
}  // namespace nfstreamd::exporters
