// SPDX-License-Identifier: Apache-2.0
// The settings that say what is in a message: format, records, columns; and the
// packers made of them. Free functions, any thread.
#pragma once
#include <array>
#include <string_view>

#include "exporters/publish/publishing_exporter.hpp"
#include "exporters/text_format.hpp"

namespace nfstreamd::exporters {

#ifdef NFSTREAMD_WITH_IPFIX
inline constexpr std::string_view kMessageFormats = "json csv ipfix";
#else
inline constexpr std::string_view kMessageFormats = "json csv";
#endif

constexpr config::SettingSpec format_setting(std::string_view choices, std::string_view description) {
    return {.name = "format",
            .type = config::SettingType::kChoice,
            .default_value = "json",
            .description = description,
            .choices = choices};
}

constexpr config::SettingSpec records_setting(std::string_view default_value) {
    return {.name = "records_per_message",
            .type = config::SettingType::kInteger,
            .default_value = default_value,
            .description = "Flow records of a message, at most; a message with fewer leaves after flush_interval.",
            .min = 1,
            .max = 1'000'000};
}

constexpr config::SettingSpec size_setting(std::string_view default_value, double max) {
    return {.name = "max_message_size",
            .type = config::SettingType::kSize,
            .default_value = default_value,
            .description = "Octets of a message, at most; a record that fits none is counted in dropped_oversize.",
            .min = 512,
            .max = max};
}

inline constexpr config::SettingSpec kArraySetting{
    .name = "json_array",
    .type = config::SettingType::kBool,
    .default_value = "false",
    .description = "A message is one JSON array of objects instead of an object a line."};

inline constexpr config::SettingSpec kHeaderSetting{
    .name = "csv_header",
    .type = config::SettingType::kBool,
    .default_value = "false",
    .description = "Names of the columns before the lines, in each message."};

inline constexpr std::array kIpfixSettings{
    config::SettingSpec{.name = "biflow",
                        .type = config::SettingType::kBool,
                        .default_value = "true",
                        .description = "With format ipfix: both directions of a flow in one record (RFC 5103); false: "
                                       "a record for each direction."},
    config::SettingSpec{.name = "observation_domain",
                        .type = config::SettingType::kInteger,
                        .default_value = "0",
                        .description = "With format ipfix: the observation domain in the header; 0: the daemon's.",
                        .min = 0,
                        .max = 4294967295.0},
};

// Of a type whose messages may be JSON, CSV or IPFIX.
constexpr auto broker_packing(std::string_view records) {
    return joined_settings(
        std::array{format_setting(kMessageFormats,
                                  "What a message is: JSON with nfstream's columns as keys; lines of CSV; "
                                  "one IPFIX message (RFC 7011) that has its templates in itself."),
                   records_setting(records), kArraySetting, kHeaderSetting, kSchemaSetting},
        kPseudonymSettings, kIpfixSettings);
}

// By the settings above. `most`: octets of a message.
Result<PublishingExporter::MakePacker> make_packers(const ExporterContext& context, std::size_t most);

}  // namespace nfstreamd::exporters
