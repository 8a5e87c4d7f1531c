// SPDX-License-Identifier: Apache-2.0
// Which options an exporter sends, and in which forms: the choices that suit a
// collector. Plain values.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "core/base/ip_address.hpp"
#include "exporters/options/application_id.hpp"
#include "exporters/options/options_writer.hpp"

namespace nfstreamd::exporters {

// The values of the setting `options`, in the order in which they are sent.
enum class OptionsKind : std::uint8_t {
    kTypes,         // names and types of enterprise elements (RFC 5610)
    kFlowKeys,      // which fields of each template are flow keys (RFC 7011, 4.4)
    kSystem,        // since when the process runs
    kSampling,      // how packets were selected (RFC 5477)
    kMetering,      // what was exported (RFC 7011, 4.1)
    kReliability,   // packets that were not metered (4.2)
    kExporting,     // records that were not sent (4.3)
    kInterfaces,    // names of interfaces
    kApplications,  // names of applications (RFC 6759)
};
inline constexpr std::size_t kOptionsKinds = 9;
std::string_view name(OptionsKind kind) noexcept;  // "flow_keys"

// Those are sent every `options_interval`; all others with the templates, and when they change.
constexpr bool is_periodic(OptionsKind kind) noexcept {
    return kind == OptionsKind::kMetering || kind == OptionsKind::kReliability || kind == OptionsKind::kExporting;
}

class OptionsKinds {
public:
    constexpr OptionsKinds() = default;
    constexpr OptionsKinds(std::initializer_list<OptionsKind> kinds) {
        for (const OptionsKind kind : kinds) add(kind);
    }
    static constexpr OptionsKinds all() {
        OptionsKinds kinds;
        kinds.bits_ = (1u << kOptionsKinds) - 1;
        return kinds;
    }

    constexpr void add(OptionsKind kind) { bits_ |= bit(kind); }
    constexpr void remove(OptionsKind kind) { bits_ &= ~bit(kind); }
    constexpr bool has(OptionsKind kind) const { return (bits_ & bit(kind)) != 0; }
    constexpr OptionsKinds common(OptionsKinds other) const {
        other.bits_ &= bits_;
        return other;
    }
    constexpr OptionsKinds without(OptionsKinds other) const {
        other.bits_ = bits_ & ~other.bits_;
        return other;
    }
    friend constexpr bool operator==(const OptionsKinds&, const OptionsKinds&) = default;

private:
    static constexpr std::uint32_t bit(OptionsKind kind) { return 1u << static_cast<unsigned>(kind); }
    std::uint32_t bits_ = 0;
};

// Of the setting's words, which its table has checked: true, `defaults`; false, none.
OptionsKinds options_kinds(std::span<const std::string> words, OptionsKinds defaults);

// For the tables of settings of exporters that send options.
inline constexpr config::SettingSpec kOptionsSetting{
    .name = "options",
    .type = config::SettingType::kStringList,
    .default_value = "true",
    .description =
        "What is told beside the flows, as records of options templates: types, of enterprise elements; "
        "flow_keys, of the templates; system, when the process started; sampling, of packets; metering, "
        "reliability and exporting, counts of what was exported, not metered and not sent; interfaces and "
        "applications, their names. true: what suits the collector; false: none.",
    .choices = "true false types flow_keys system sampling metering reliability exporting interfaces applications"};
inline constexpr config::SettingSpec kOptionsIntervalSetting{
    .name = "options_interval",
    .type = config::SettingType::kDuration,
    .default_value = "60s",
    .description = "How often the counts among the options are sent: metering, reliability, exporting.",
    .min = 1,
    .max = 86400};

// Elements that tell the sampling rate: those of RFC 5477, the older
// samplingInterval (34), which holds for a whole observation domain, or both.
enum class SamplingElements : std::uint8_t { kRfc5477, kLegacy, kBoth, kNone };
std::optional<SamplingElements> sampling_elements(std::string_view name);  // "rfc5477"

struct OptionsProfile {
    OptionsProtocol protocol = OptionsProtocol::kIpfix;
    OptionsKinds kinds = OptionsKinds::all();
    std::uint32_t domain = 0;
    ApplicationIdForm application_id = ApplicationIdForm::kPanaL7Pen;
    // Octets of a name or description, for collectors that cannot read strings of
    // variable length; at most kLongestFixedText. NetFlow v9 has no others.
    std::uint16_t text_length = kVariableText;
    bool application_category = true;
    bool names_alone = false;  // each application in a Set of its own: nfcapd 1.7.1 loses its place in a longer one
    SamplingElements sampling = SamplingElements::kBoth;
    IpAddress exporter_address{};  // told with the system; version 0: not known

    std::uint16_t text() const noexcept;  // length of text fields in this protocol
};
inline constexpr std::uint16_t kLongestFixedText = 128;  // three of them fit a message of 512 octets

}  // namespace nfstreamd::exporters
