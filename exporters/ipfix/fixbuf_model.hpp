// SPDX-License-Identifier: Apache-2.0
// libfixbuf behind one small wall: its information model, which knows names and
// types of elements, and the messages that carry our templates. Data records are
// written by RecordEncoder. Each call from any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "exporters/ipfix/record_layout.hpp"

namespace nfstreamd::exporters::ipfix {

struct SessionTemplate {
    std::uint16_t id;  // on the wire, for the whole life of the session
    const RecordLayout* layout;
};

// Complete messages that hold all templates, each in its own Set; as many as fit
// share a message. Export time and sequence number are the caller's.
Result<std::vector<std::vector<std::uint8_t>>> template_messages(std::uint32_t domain, std::uint16_t max_message,
                                                                 std::span<const SessionTemplate> templates);

// The abstract data types of RFC 7012 and RFC 6313.
enum class WireType : std::uint8_t {
    kOctetArray,
    kUnsigned,
    kSigned,
    kFloat,
    kBoolean,
    kMacAddress,
    kString,
    kSeconds,
    kMilliseconds,
    kMicroseconds,
    kNanoseconds,
    kIpv4Address,
    kIpv6Address,
    kAnyAddress,  // 16 octets, IPv4 as ::ffff:a.b.c.d
    kBasicList,
    kSubTemplateList,
    kSubTemplateMultiList,
    kUptime,  // milliseconds since the exporter's start, by the clock of its header (RFC 3954)
    kPadding  // said by nobody
};
struct KnownElement {
    std::string name;
    WireType type;
};
// From IANA's registry as libfixbuf carries it, reverse elements included. Any thread.
std::optional<KnownElement> known_element(std::uint32_t pen, std::uint16_t id);

std::string fixbuf_version();

}  // namespace nfstreamd::exporters::ipfix
