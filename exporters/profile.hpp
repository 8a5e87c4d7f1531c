// SPDX-License-Identifier: Apache-2.0
// What a collector can read, one row for each that is known: the values that the
// settings of an exporter have where the operator gives none. Where a claim comes
// from stands in collectors/NAME.md. Plain values; any thread.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/settings.hpp"
#include "core/record/template.hpp"
#include "exporters/options/options_profile.hpp"

namespace nfstreamd::exporters {

// Elements that the collector makes sense of, or at least passes over.
enum class ReadableElements : std::uint8_t {
    kAll,
    kCounterReverse,  // IANA's, and of the reverse ones those of octets and packets
    kIana,            // IANA's alone
    kLogstash,        // numbers that the codec's definitions have: of one that is unknown the whole template is lost
};

struct Profile {
    std::string_view name, collector;
    bool biflow;  // both directions in one record (RFC 5103)
    ReadableElements elements;
    bool lists;      // RFC 6313
    bool free_text;  // strings of variable length in data records
    OptionsKinds options;
    ApplicationIdForm application_id;
    std::uint16_t options_text;  // octets of a name in options; 0: as long as it is
    SamplingElements sampling;
    std::string_view left_out{};  // columns that it would misread or has no use for, a space between
};

std::span<const Profile> profiles() noexcept;
// The first row when there is none of that name.
const Profile& find_profile(std::string_view name) noexcept;

inline constexpr config::SettingSpec kProfileSetting{
    .name = "profile",
    .type = config::SettingType::kChoice,
    .default_value = "default",
    .description =
        "The collector that this exporter feeds: what it cannot read is left out or written as it can, "
        "unless the setting for it is given (exporters/collectors/ has a page for each).",
    .choices = "default nfdump pmacct fixbuf akvorado goflow2 ipfixcol2 logstash telegraf ntopng"};

// Those of the fields that the collector reads.
FieldSelection readable_fields(const Profile& profile, const FieldSelection& fields, const FieldGroups& groups,
                               std::uint32_t private_enterprise_number);

// The options of an exporter by its profile and the settings that are given:
// options, application_id, options_text, sampling_elements.
OptionsProfile options_profile(const Profile& profile, const config::Settings& settings, const FieldGroups& groups);

}  // namespace nfstreamd::exporters
