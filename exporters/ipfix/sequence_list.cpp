// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/sequence_list.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/record/accounted_elements.hpp"
#include "exporters/ipfix/byte_reader.hpp"

namespace nfstreamd::exporters::ipfix {
namespace {

struct ListHeader {
    IeId element;
    std::uint16_t length = 0;
};

// Leaves the reader at the entries.
ListHeader read_header(ByteReader& list) {
    ListHeader header;
    list.u8();  // semantic
    header.element.id = list.u16();
    header.length = list.u16();
    if ((header.element.id & 0x8000) != 0) {
        header.element.id &= 0x7fff;
        header.element.pen = list.u32();
    }
    return header;
}

bool carries(const InformationElement& row, const IeId& element) {
    if (!is_list(row.type)) return false;
    const AccountedElements* by_mode = find_accounted(row.column);
    if (by_mode == nullptr) return row.ie == element;
    return std::any_of(by_mode->by_kind.begin(), by_mode->by_kind.end(),
                       [&](const NamedElement& named) { return named.ie == element; });
}

bool suits(IeType type, std::uint16_t length) {
    if (type == IeType::kSigned8List) return length == 1;
    return type == IeType::kGapList ? length == 8 : length >= 1 && length <= 4;
}

}  // namespace

std::string_view sequence_column(std::span<const std::uint8_t> list, std::uint32_t private_enterprise_number) {
    ByteReader bytes(list);
    ListHeader header = read_header(bytes);
    if (bytes.failed() || header.length == 0 || bytes.remaining() % header.length != 0) return {};
    if (private_enterprise_number != 0 && header.element.pen == private_enterprise_number) header.element.pen = kOurPen;
    for (const InformationElement& row : builtin_elements())
        if (carries(row, header.element) && suits(row.type, header.length)) return row.column;
    return {};
}

void append_sequence(std::string& out, std::span<const std::uint8_t> list, std::string_view column) {
    ByteReader bytes(list);
    const ListHeader header = read_header(bytes);
    std::uint64_t before = 0;
    out += '[';
    for (bool first = true; bytes.remaining() > 0; first = false) {
        const std::uint64_t value = bytes.number(header.length);
        if (!first) out += ',';
        if (column == "splt_direction")
            out += value == 1 ? '0' : '1';
        else if (column == "splt_piat_ms")
            fmt::format_to(std::back_inserter(out), "{}", first ? 0 : static_cast<std::int64_t>(value - before));
        else
            fmt::format_to(std::back_inserter(out), "{}", value);
        before = value;
    }
    out += ']';
}

}  // namespace nfstreamd::exporters::ipfix
