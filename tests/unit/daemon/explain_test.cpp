// SPDX-License-Identifier: Apache-2.0
#include "daemon/explain.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "config/load.hpp"
#include "config/tables.hpp"
#include "daemon/reload.hpp"
#include "exporters/registry.hpp"

namespace nfstreamd::daemon {
namespace {

config::Config configured(const std::vector<std::pair<std::string, std::string>>& settings) {
    config::LoadRequest request;
    request.exporter_schemas = exporters::exporter_schemas();
    request.overrides = {{"capture", "[{interface: eth0, n_meters: 1}, {interface: eth1, n_meters: 1}]"},
                         {"exporters", "[{name: main, type: ipfix, collectors: ['udp://192.0.2.1:4739']}]"}};
    request.overrides.insert(request.overrides.end(), settings.begin(), settings.end());
    auto loaded = config::load(request);
    for (const auto& error : loaded.errors) MESSAGE(error.text());
    REQUIRE(loaded.config.has_value());
    return std::move(*loaded.config);
}

// Another value than the default, as --set takes it.
std::string other_value(const config::SettingSpec& spec) {
    using enum config::SettingType;
    const std::string_view choices = spec.choices;
    switch (spec.type) {
        case kBool:
            return spec.default_value == "true" ? "false" : "true";
        case kChoice: {
            const auto first = choices.substr(0, choices.find(' '));
            return std::string(first != spec.default_value ? first : choices.substr(choices.rfind(' ') + 1));
        }
        case kNumber:
            return "0.5";
        case kDuration:
            return spec.max > 0 && spec.max < 1 ? "20ms" : "1s";
        case kInteger:
        case kSize:
            return spec.max == 1 ? "1" : spec.max == 3 ? "3" : spec.max <= 300 && spec.max > 0 ? "7" : "777";
        case kStringList:
            return spec.name == "decode_tunnels" ? "[gre]" : "[src_ip]";
        case kString:
        case kSecret:
            return "/tmp/other";
        case kTree:
            return "{limit: 3}";
    }
    return {};
}

TEST_CASE("explain_reload: for each setting of a capture and of metering its class is what the reload does") {
    const auto running = configured({});
    const auto check = [&](const std::string& key, const config::SettingSpec& spec) {
        CAPTURE(key);
        const auto wanted = configured({{key, other_value(spec)}});
        const auto plan = diff(running, wanted);
        const bool reopens = !plan.interfaces_reopened.empty() || !plan.interfaces_added.empty() ||
                             !plan.interfaces_removed.empty() || plan.exporters_changed();
        CHECK(plan.needs_restart.empty() == (spec.reload != config::Reload::kRestart));
        CHECK(reopens == (spec.reload == config::Reload::kReopen));
        const auto text = explain_reload(running, wanted);
        const char* cost = spec.reload == config::Reload::kLive     ? "live "
                           : spec.reload == config::Reload::kReopen ? "reopen "
                                                                    : "restart ";
        CHECK(text.starts_with(cost));
        CHECK(text.find(" -> ") != text.npos);
    };
    for (const auto& spec : config::capture_settings()) {
        const std::string name(spec.name);
        // not for this generation; those that say what is captured; those that change nothing where no group is
        if (name == "snaplen" || name == "interface" || name == "pcap" || name == "group" || name == "deduplicate" ||
            name == "reorder_window" || name == "n_meters")
            continue;
        check("capture.0." + name, spec);
    }
    for (const auto& spec : config::metering_settings()) {
        const std::string name(spec.name);
        if (name == "inactive_timeout" || name == "capacity" || name == "dissect" || name == "max_tcp_dissections" ||
            name == "max_udp_dissections")  // of other generations
            continue;
        if (name == "compatibility") continue;  // changes what there is besides
        check("metering." + name, spec);
    }
}

TEST_CASE("explain_reload: a line for each key that differs, with what comes, goes and stays hidden") {
    const auto running = configured({{"metering.idle_timeout", "60"}});
    const auto wanted = configured(
        {{"metering.idle_timeout", "30"},
         {"metering.max_flows", "4096"},
         {"capture", "[{interface: eth0, n_meters: 1, bpf_filter: udp, socket_buffer_size: 8MiB}, {interface: eth2}]"},
         {"exporters.main.rate_limit", "1000"}});
    const auto text = explain_reload(running, wanted);
    CHECK(text.find("live     metering.idle_timeout: 60s -> 30s\n") != text.npos);
    CHECK(text.find("restart  metering.max_flows: 1048576 -> 4096\n") != text.npos);
    CHECK(text.find("live     capture.eth0.bpf_filter: \"\" -> udp\n") != text.npos);
    CHECK(text.find("reopen   capture.eth0.socket_buffer_size: 0 -> 8MiB\n") != text.npos);
    CHECK(text.find("reopen   capture.eth1: present -> (none)\n") != text.npos);
    CHECK(text.find("reopen   capture.eth2: (none) -> present\n") != text.npos);
    CHECK(text.find("reopen   exporters.main.rate_limit: ") != text.npos);
    CHECK(text.find("capture.eth1.") == text.npos);
    CHECK(text.find("capture.eth2.") == text.npos);
    CHECK(text.ends_with("restart needed: metering.max_flows\n"));
}

TEST_CASE("explain_reload: secrets are hidden, and other ones are a difference all the same") {
    const auto with = [](const std::string& key) {
        return configured({{"exporters",
                            "[{name: main, type: csv, path: /tmp/a.csv, columns_to_anonymize: [src_ip], "
                            "anonymization_key: '" +
                                key + "'}]"}});
    };
    const auto text =
        explain_reload(with("00112233445566778899aabbccddeeff"), with("ff112233445566778899aabbccddeeff"));
    CHECK(text.find("exporters.main.anonymization_key: ") != text.npos);
    CHECK(text.find("112233") == text.npos);
    CHECK(text.find("********") != text.npos);
}

TEST_CASE("explain_reload: the same configuration") {
    CHECK(explain_reload(configured({}), configured({})).starts_with("nothing differs\n"));
}

}  // namespace
}  // namespace nfstreamd::daemon
