// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/json_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>
#include <utility>

#include "core/base/json_text.hpp"
#include "core/record/accounted_elements.hpp"
#include "core/record/template.hpp"
#include "exporters/ipfix/sequence_list.hpp"

namespace nfstreamd::exporters::ipfix {
namespace {

using Bytes = std::span<const std::uint8_t>;

// What a record's computed columns are made of.
struct Sources {
    std::array<Bytes, kJoinedColumns.size()> joined;
    const UptimeClock* clock = nullptr;
    FlowFacts facts;
    std::uint32_t sequences = 0;  // columns that lists have given, a bit each
};

constexpr int kDeepestList = 3;
constexpr std::uint64_t kNtpToUnixSeconds = 2'208'988'800;

struct PartRow {
    std::string_view column;
    std::size_t joined;  // index in kJoinedColumns
};
constexpr PartRow kParts[] = {{"tls_server_name", 0}, {"http_host", 0},  {"dns_query", 0},   {"ja3_client", 1},
                              {"hassh_client", 1},    {"ja3_server", 2}, {"hassh_server", 2}};

// Elements that carry a column though its row in the table names another one:
// times in other units.
struct OtherElement {
    std::uint16_t id;
    std::string_view column, reverse_column;
};
constexpr OtherElement kOthers[] = {
    {150, "src2dst_first_seen_ms", "dst2src_first_seen_ms"}, {151, "src2dst_last_seen_ms", "dst2src_last_seen_ms"},
    {154, "src2dst_first_seen_ms", "dst2src_first_seen_ms"}, {155, "src2dst_last_seen_ms", "dst2src_last_seen_ms"},
    {156, "src2dst_first_seen_ms", "dst2src_first_seen_ms"}, {157, "src2dst_last_seen_ms", "dst2src_last_seen_ms"},
    {22, "src2dst_first_seen_ms", "dst2src_first_seen_ms"},  {21, "src2dst_last_seen_ms", "dst2src_last_seen_ms"},
};

// Scope types of NetFlow v9 (RFC 3954, 6.1), by their numbers.
constexpr std::string_view kScopes[] = {"",           "scopeSystem",  "scopeInterface", "scopeLineCard",
                                        "scopeCache", "scopeTemplate"};
constexpr std::uint16_t kLastUptime = 21, kFirstUptime = 22, kPaddingOctets = 210;

WireType wire_type(const InformationElement& row, bool v6) {
    switch (row.type) {
        case IeType::kUnsigned8:
        case IeType::kUnsigned16:
        case IeType::kUnsigned32:
        case IeType::kUnsigned64:
            return WireType::kUnsigned;
        case IeType::kSigned32:
        case IeType::kSigned64:
            return WireType::kSigned;
        case IeType::kFloat64:
            return WireType::kFloat;
        case IeType::kBoolean:
            return WireType::kBoolean;
        case IeType::kMacAddress:
            return WireType::kMacAddress;
        case IeType::kIpAddress:
            if (row.wire_length == 16) return WireType::kAnyAddress;
            return v6 ? WireType::kIpv6Address : WireType::kIpv4Address;
        case IeType::kDateTimeMilliseconds:
            return WireType::kMilliseconds;
        case IeType::kString:
        case IeType::kAny:
            return WireType::kString;
        case IeType::kOctetArray:
            return WireType::kOctetArray;
        case IeType::kSigned8List:
        case IeType::kUnsigned16List:
        case IeType::kGapList:
        case IeType::kSigned32List:
            return WireType::kBasicList;
    }
    return WireType::kOctetArray;
}

void name_from_table(ReadField& field, std::uint32_t private_enterprise_number) {
    IeId wanted{field.element.pen, field.element.id};
    if (private_enterprise_number != 0 && wanted.pen == private_enterprise_number) wanted.pen = kOurPen;
    for (const InformationElement& row : builtin_elements()) {
        if ((row.ie != wanted && row.ie_v6 != wanted) || is_list(row.type)) continue;
        field.key = row.column;
        field.type = wire_type(row, row.ie != wanted);
        return;
    }
    for (const AccountedElements& row : accounted_elements())
        for (const NamedElement& element : row.by_kind)
            if (element.ie == wanted && !is_list(find_field(row.column)->type)) {
                field.key = row.column;
                field.type = WireType::kUnsigned;
                return;
            }
    if (wanted.pen != 0 && wanted.pen != kReversePen) return;
    if ((wanted.id == kLastUptime || wanted.id == kFirstUptime) && field.type != WireType::kUptime) return;
    for (const OtherElement& other : kOthers)
        if (other.id == wanted.id) field.key = wanted.pen == 0 ? other.column : other.reverse_column;
}

// In IPFIX nothing near says when the exporter's clock began.
bool is_uptime(const ReadElement& element) {
    return element.v9_type != 0 && (element.id == kLastUptime || element.id == kFirstUptime);
}

std::optional<KnownElement> element_of(const ReadElement& element, const LearntElements& learnt) {
    if (element.is_scope && element.v9_type != 0)
        return KnownElement{std::string(kScopes[element.v9_type]), WireType::kUnsigned};
    auto known = known_element(element.pen, element.id);
    if (!known) known = learnt.find(element.pen, element.id);
    if (known && is_uptime(element)) known->type = WireType::kUptime;
    if (known && element.pen == 0 && element.id == kPaddingOctets) known->type = WireType::kPadding;
    return known;
}

std::string name_of(const ReadElement& element, const std::optional<KnownElement>& known) {
    return known ? known->name : fmt::format("_{}_{}", element.pen, element.id);
}

ReadField make_field(const ReadElement& element, std::uint32_t private_enterprise_number,
                     const LearntElements& learnt) {
    ReadField field;
    field.element = element;
    const auto known = element_of(element, learnt);
    if (known) field.type = known->type;
    if (!element.is_scope || element.v9_type == 0) name_from_table(field, private_enterprise_number);
    if (field.key.empty()) field.key = name_of(element, known);
    return field;
}

void append_hex(std::string& out, Bytes bytes) {
    static constexpr char kHex[] = "0123456789abcdef";
    out += '"';
    for (const std::uint8_t byte : bytes) {
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    }
    out += '"';
}

void append_float(std::string& out, double value) {
    if (std::isfinite(value))
        fmt::format_to(std::back_inserter(out), "{}", value);
    else
        out += "null";  // JSON has no other word for it
}

std::uint64_t ntp_milliseconds(std::uint64_t value) {  // RFC 7011, 6.1.9
    const std::uint64_t seconds = value >> 32;
    if (seconds < kNtpToUnixSeconds) return 0;
    return (seconds - kNtpToUnixSeconds) * 1000 + ((value & 0xffffffff) * 1000 >> 32);
}

// The number of an integer or a time, times as milliseconds; nothing when the
// length does not suit the type.
std::optional<std::uint64_t> unsigned_value(WireType type, Bytes bytes) {
    const std::size_t n = bytes.size();
    const std::uint64_t value = n <= 8 ? ByteReader(bytes).number(n) : 0;
    switch (type) {
        case WireType::kUnsigned:
        case WireType::kMilliseconds:
            return n >= 1 && n <= 8 ? std::optional(value) : std::nullopt;
        case WireType::kSeconds:
            return n == 4 ? std::optional(value * 1000) : std::nullopt;
        case WireType::kMicroseconds:
        case WireType::kNanoseconds:
            return n == 8 ? std::optional(ntp_milliseconds(value)) : std::nullopt;
        default:
            return std::nullopt;
    }
}

bool append_address(std::string& out, WireType type, Bytes bytes) {
    constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    const std::size_t n = type == WireType::kIpv4Address ? 4 : type == WireType::kMacAddress ? 6 : 16;
    if (bytes.size() != n) return false;
    if (type == WireType::kAnyAddress && std::equal(kMapped.begin(), kMapped.end(), bytes.begin()))
        return append_address(out, WireType::kIpv4Address, bytes.subspan(kMapped.size()));
    out += '"';
    if (type == WireType::kMacAddress) {
        MacAddress mac;
        std::copy(bytes.begin(), bytes.end(), mac.begin());
        append_text(out, mac);
    } else {
        IpAddress address;
        address.version = n == 4 ? 4 : 6;
        std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
        append_text(out, address);
    }
    out += '"';
    return true;
}

bool append_scalar(std::string& out, WireType type, Bytes bytes) {
    const std::size_t n = bytes.size();
    switch (type) {
        case WireType::kSigned: {
            if (n < 1 || n > 8) return false;
            const auto shift = static_cast<unsigned>(64 - 8 * n);
            const std::uint64_t value = ByteReader(bytes).number(n) << shift;
            fmt::format_to(std::back_inserter(out), "{}", static_cast<std::int64_t>(value) >> shift);
            return true;
        }
        case WireType::kFloat:
            if (n != 4 && n != 8) return false;
            append_float(out, n == 8 ? std::bit_cast<double>(ByteReader(bytes).number(8))
                                     : static_cast<double>(std::bit_cast<float>(ByteReader(bytes).u32())));
            return true;
        case WireType::kBoolean:
            if (n != 1 || bytes[0] < 1 || bytes[0] > 2) return false;
            out += bytes[0] == 1 ? "true" : "false";
            return true;
        case WireType::kMacAddress:
        case WireType::kIpv4Address:
        case WireType::kIpv6Address:
        case WireType::kAnyAddress:
            return append_address(out, type, bytes);
        case WireType::kString:
            append_json_string(out, {reinterpret_cast<const char*>(bytes.data()), n});
            return true;
        default:
            if (const auto value = unsigned_value(type, bytes)) {
                fmt::format_to(std::back_inserter(out), "{}", *value);
                return true;
            }
            return false;
    }
}

bool append_value(std::string& out, WireType type, Bytes bytes, const ReadTemplates& templates, int depth);
bool append_fields(std::string& out, ByteReader& bytes, const ReadTemplate& tmpl, const ReadTemplates& templates,
                   int depth, Sources* sources);

// RFC 6313, 4.5.1: semantic, field specifier, values.
bool append_basic_list(std::string& out, Bytes bytes, const ReadTemplates& templates, int depth) {
    ByteReader list(bytes);
    list.u8();
    ReadElement element;
    element.id = list.u16();
    element.length = list.u16();
    if ((element.id & 0x8000) != 0) {
        element.id &= 0x7fff;
        element.pen = list.u32();
    }
    if (list.failed() || element.length == 0) return false;
    const auto known = element_of(element, templates.learnt);
    const WireType type = known ? known->type : WireType::kOctetArray;
    out += '[';
    bool first = true;
    while (list.remaining() > 0) {
        const Bytes value = list.field(element.length);
        if (list.failed()) return false;
        if (!first) out += ',';
        first = false;
        if (!append_value(out, type, value, templates, depth)) append_hex(out, value);
    }
    out += ']';
    return true;
}

bool append_records(std::string& out, ByteReader& list, std::uint16_t id, const ReadTemplates& templates, int depth,
                    bool& first) {
    const auto found = templates.by_id.find(id);
    if (found == templates.by_id.end()) return false;
    while (list.remaining() > 0) {
        if (!first) out += ',';
        first = false;
        out += '{';
        if (!append_fields(out, list, found->second, templates, depth, nullptr)) return false;
        out += '}';
    }
    return true;
}

// RFC 6313, 4.5.2 and 4.5.3: records of one template, or of several.
bool append_template_list(std::string& out, Bytes bytes, bool several, const ReadTemplates& templates, int depth) {
    ByteReader list(bytes);
    list.u8();
    bool first = true;
    out += '[';
    do {
        const std::uint16_t id = list.u16();
        if (several) {
            const std::uint16_t length = list.u16();
            if (list.failed() || length < 4) return false;
            ByteReader part(list.take(length - 4u));
            if (list.failed() || !append_records(out, part, id, templates, depth, first)) return false;
        } else if (list.failed() || !append_records(out, list, id, templates, depth, first)) {
            return false;
        }
    } while (several && list.remaining() > 0);
    out += ']';
    return true;
}

// The splt column that a list of the record itself carries, with its key; once each.
bool append_splt(std::string& out, Bytes list, const ReadTemplate& tmpl, Sources& sources) {
    constexpr std::array<std::string_view, 3> kColumns{"splt_direction", "splt_ps", "splt_piat_ms"};
    const std::string_view column = sequence_column(list, tmpl.private_enterprise_number);
    const auto* at = std::find(kColumns.begin(), kColumns.end(), column);
    if (at == kColumns.end()) return false;
    const std::uint32_t bit = 1U << (at - kColumns.begin());
    if ((std::exchange(sources.sequences, sources.sequences | bit) & bit) != 0) return false;
    append_json_string(out, column);
    out += ':';
    append_sequence(out, list, column);
    return true;
}

FactValue fact_value(WireType type, Bytes bytes) {
    if (type == WireType::kFloat && bytes.size() == 8) return std::bit_cast<double>(ByteReader(bytes).number(8));
    const auto value = unsigned_value(type, bytes);
    return value ? FactValue(*value) : FactValue{};
}

// False, with `out` as it was, when the bytes do not make a value of the type.
bool append_value(std::string& out, WireType type, Bytes bytes, const ReadTemplates& templates, int depth) {
    const std::size_t before = out.size();
    bool done = false;
    if (type == WireType::kBasicList)
        done = depth < kDeepestList && append_basic_list(out, bytes, templates, depth + 1);
    else if (type == WireType::kSubTemplateList || type == WireType::kSubTemplateMultiList)
        done = depth < kDeepestList &&
               append_template_list(out, bytes, type == WireType::kSubTemplateMultiList, templates, depth + 1);
    else
        done = append_scalar(out, type, bytes);
    if (!done) out.resize(before);
    return done;
}

// The octets of a moment instead of those of an uptime, where the record's clock is known.
WireType told_by_clock(WireType type, Bytes& value, const Sources* sources, std::array<std::uint8_t, 8>& moment) {
    if (type != WireType::kUptime) return type;
    if (sources == nullptr || sources->clock == nullptr || value.size() != 4) return WireType::kUnsigned;
    std::uint64_t milliseconds = sources->clock->milliseconds(ByteReader(value).u32());
    for (std::size_t i = moment.size(); i-- > 0; milliseconds >>= 8)
        moment[i] = static_cast<std::uint8_t>(milliseconds);
    value = moment;
    return WireType::kMilliseconds;
}

bool append_fields(std::string& out, ByteReader& bytes, const ReadTemplate& tmpl, const ReadTemplates& templates,
                   int depth, Sources* sources) {
    bool first = true;
    for (const ReadField& field : tmpl.fields) {
        Bytes value = bytes.field(field.element.length);
        if (bytes.failed()) return false;
        if (field.type == WireType::kPadding) continue;
        std::array<std::uint8_t, 8> moment;
        const WireType type = told_by_clock(field.type, value, sources, moment);
        if (!first) out += ',';
        first = false;
        if (sources != nullptr && field.type == WireType::kBasicList && append_splt(out, value, tmpl, *sources))
            continue;
        append_json_string(out, field.key);
        out += ':';
        if (!append_value(out, type, value, templates, depth)) append_hex(out, value);
        if (sources == nullptr) continue;
        if (field.joined && !value.empty()) sources->joined[*field.joined] = value;
        const bool is_moment = field.type != WireType::kUptime || type == WireType::kMilliseconds;
        if (field.fact && is_moment) sources->facts.at(field.fact->scope, field.fact->fact) = fact_value(type, value);
        if (field.key == "src_mac") sources->facts.source_mac = value;
        if (field.key == "dst_mac") sources->facts.destination_mac = value;
    }
    return true;
}

// What is not on the wire because it follows from what is.
void append_computed(std::string& out, const ReadTemplate& tmpl, Sources& sources) {
    for (std::size_t i = 0; i < kJoinedColumns.size(); ++i) {
        if (!tmpl.joined[i]) continue;
        fmt::format_to(std::back_inserter(out), ",\"{}\":", kJoinedColumns[i]);
        append_scalar(out, WireType::kString, sources.joined[i]);
    }
    tmpl.derived.append(out, sources.facts);
}

// Which of an options record's elements say what it is about (RFC 7011, 3.4.2.1).
void append_scope(std::string& out, const ReadTemplate& tmpl) {
    out += ",\"_options\":true,\"_scope\":[";
    bool first = true;
    for (const ReadField& field : tmpl.fields) {
        if (!field.element.is_scope) continue;
        if (!std::exchange(first, false)) out += ',';
        append_json_string(out, field.key);
    }
    out += ']';
}

}  // namespace

ReadTemplate make_read_template(std::span<const ReadElement> elements, bool is_options,
                                std::uint32_t private_enterprise_number, const LearntElements& learnt) {
    ReadTemplate tmpl;
    tmpl.is_options = is_options;
    tmpl.private_enterprise_number = private_enterprise_number;
    std::map<std::string, int> keys;  // with how often each was wanted
    for (const ReadElement& element : elements) {
        ReadField field = make_field(element, private_enterprise_number, learnt);
        if (field.type == WireType::kOctetArray && field.key.front() == '_') tmpl.has_unknown = true;
        if (keys[field.key]++ > 0) {  // repeated, or two elements that mean one column
            const std::string name = name_of(element, element_of(element, learnt));
            field.key = name;
            while (keys[field.key]++ > 0) field.key = fmt::format("{}_{}", name, keys[name]);
        } else if (!is_options) {
            field.fact = scoped_fact(field.key);
            tmpl.derived.has(field.key);
            for (const PartRow& row : kParts)
                if (row.column == field.key) field.joined = row.joined;
        }
        if (field.joined) tmpl.joined[*field.joined] = true;
        if (field.fact && field.fact->scope == Scope::kForward && field.fact->fact <= Fact::kIpBytes)
            tmpl.is_flow = true;
        tmpl.minimum_length += element.length == 65535 ? 1 : element.length;
        tmpl.fields.push_back(std::move(field));
    }
    for (std::size_t i = 0; i < kJoinedColumns.size(); ++i)
        if (keys.contains(std::string(kJoinedColumns[i]))) tmpl.joined[i] = false;  // it came itself
    return tmpl;
}

bool append_json_record(std::string& out, ByteReader& bytes, const ReadTemplate& tmpl, const ReadTemplates& templates,
                        const UptimeClock* clock) {
    Sources sources;
    sources.clock = clock;
    out += '{';
    if (!append_fields(out, bytes, tmpl, templates, 0, &sources)) return false;
    if (tmpl.is_flow) append_computed(out, tmpl, sources);
    if (tmpl.is_options) append_scope(out, tmpl);
    out += '}';
    return true;
}

}  // namespace nfstreamd::exporters::ipfix
