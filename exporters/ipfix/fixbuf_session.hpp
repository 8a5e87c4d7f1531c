// SPDX-License-Identifier: Apache-2.0
// libfixbuf behind one small wall: it encodes records into messages in a buffer
// of ours, in its manual mode, and knows the names of elements. Sockets, clocks
// and sequence numbers are not its business. One thread per session.
#pragma once
#include <cstdint>
#include <memory>
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

class FixbufSession {
public:
    static Result<std::unique_ptr<FixbufSession>> make(std::uint32_t domain, std::uint16_t max_message,
                                                       std::span<const SessionTemplate> templates);
    ~FixbufSession();

    // Complete messages that hold all templates; the same bytes each time.
    const std::vector<std::vector<std::uint8_t>>& template_messages() const noexcept { return template_messages_; }

    // Adds a packed record to the message under way. The caller knows from its
    // wire length that it fits.
    Status append(std::size_t template_index, std::uint8_t* packed, std::size_t size);

    // Ends the message under way; empty when there is none. The view is good
    // until the next append. Export time and sequence number are the caller's.
    std::span<const std::uint8_t> emit();

private:
    FixbufSession();
    Status encode_templates(std::uint32_t domain, std::uint16_t max_message,
                            std::span<const SessionTemplate> templates);

    struct Model;
    struct Encoder;
    std::unique_ptr<Model> model_;  // before its users, so that it goes last
    std::unique_ptr<Encoder> encoder_;
    std::vector<std::vector<std::uint8_t>> template_messages_;
};

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
    kSubTemplateMultiList
};
struct KnownElement {
    std::string name;
    WireType type;
};
// From IANA's registry as libfixbuf carries it, reverse elements included. Any thread.
std::optional<KnownElement> known_element(std::uint32_t pen, std::uint16_t id);

std::string fixbuf_version();

}  // namespace nfstreamd::exporters::ipfix
