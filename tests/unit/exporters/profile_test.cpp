// SPDX-License-Identifier: Apache-2.0
#include "exporters/profile.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "exporters/verify/collector_profile.hpp"
#include "tests/support/exporter_settings.hpp"

namespace nfstreamd::exporters {
namespace {

constexpr std::uint32_t kPen = 32473;

FieldGroups every_group() {
    FieldGroups groups;
    groups.statistics = groups.splt = groups.l7_details = groups.tcp_quality = true;
    return groups;
}

std::set<std::string_view> columns(std::string_view profile) {
    const FieldGroups groups = every_group();
    std::set<std::string_view> names;
    for (const auto* field : readable_fields(find_profile(profile), ipfix_fields(groups, kPen), groups, kPen))
        names.insert(field->column);
    return names;
}

OptionsProfile options_of(std::string_view profile, const config::Settings& settings) {
    return options_profile(find_profile(profile), settings, every_group());
}

TEST_CASE("Profile: each has a collector to be verified against, and is a choice of the setting") {
    std::string choices;
    for (const Profile& profile : profiles()) {
        CHECK(verify::find_collector_profile(profile.name) != nullptr);
        choices += (choices.empty() ? "" : " ") + std::string(profile.name);
    }
    CHECK(choices == kProfileSetting.choices);
    CHECK(profiles().size() == verify::collector_profiles().size());
    CHECK(find_profile("nobody").name == "default");
}

TEST_CASE("Profile: what it leaves out are columns that there are") {
    for (const Profile& profile : profiles()) {
        std::string_view rest = profile.left_out;
        while (!rest.empty()) {
            const std::string_view name = rest.substr(0, rest.find(' '));
            INFO(name);
            CHECK(find_field(name) != nullptr);
            CHECK(columns("default").contains(name));
            CHECK_FALSE(columns(profile.name).contains(name));
            rest.remove_prefix(std::min(name.size() + 1, rest.size()));
        }
    }
}

TEST_CASE("Profile: every one has keys, counters and times") {
    for (const Profile& profile : profiles()) {
        const auto names = columns(profile.name);
        INFO(profile.name);
        for (const std::string_view name :
             {"src_ip", "dst_ip", "src_port", "dst_port", "protocol", "src2dst_packets", "src2dst_ip_bytes",
              "src2dst_first_seen_ms", "src2dst_last_seen_ms", "src2dst_tcp_flags", "ingress_interface"})
            CHECK(names.contains(name));
    }
}

TEST_CASE("Profile: nfdump has reverse elements of octets and packets alone, and nothing private") {
    const auto names = columns("nfdump");
    CHECK(names.contains("dst2src_ip_bytes"));
    CHECK(names.contains("dst2src_packets"));
    for (const std::string_view name : {"dst2src_tcp_flags", "dst2src_first_seen_ms", "l7_protocol", "splt_ps"})
        CHECK_FALSE(names.contains(name));
}

TEST_CASE("Profile: logstash has IANA's elements of its list, no texts") {
    const auto names = columns("logstash");
    for (const std::string_view name : {"src_mac", "src2dst_min_ttl", "flow_end_reason", "src2dst_syn_packets"})
        CHECK(names.contains(name));
    for (const std::string_view name : {"application_name", "interface_name", "l7_protocol", "src2dst_ps_squares",
                                        "splt_direction", "dst2src_packets"})
        CHECK_FALSE(names.contains(name));
}

TEST_CASE("Profile: settings that are given come before those of the profile") {
    auto settings = test::default_settings("ipfix");
    CHECK(options_of("goflow2", settings).sampling == SamplingElements::kLegacy);
    CHECK(options_of("nfdump", settings).kinds == OptionsKinds{OptionsKind::kSampling});
    CHECK(options_of("pmacct", settings).text_length == 24);
    CHECK(options_of("pmacct", settings).names_alone);
    CHECK_FALSE(options_of("default", settings).names_alone);
    settings.set("sampling_elements", std::string("rfc5477"), "", true);
    settings.set("application_id", std::string("user5"), "", true);
    settings.set("options_text", std::int64_t{40}, "", true);
    const OptionsProfile given = options_of("goflow2", settings);
    CHECK(given.sampling == SamplingElements::kRfc5477);
    CHECK(given.application_id == ApplicationIdForm::kUser5);
    CHECK(given.text_length == 40);
}

}  // namespace
}  // namespace nfstreamd::exporters
