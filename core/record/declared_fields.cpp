// SPDX-License-Identifier: Apache-2.0
#include "core/record/declared_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <mutex>

#include "core/base/utf8.hpp"
#include "core/record/template.hpp"

namespace nfstreamd {
namespace {

constexpr std::size_t kLongestColumn = 128, kMostRows = 16384;

struct Row {
    FieldDeclaration text;  // that the element's views are of
    InformationElement element;
};

// Deques: what is in them does not move.
struct Declared {
    std::mutex mutex;
    std::deque<DeclaredColumn> columns;
    std::deque<Row> rows;
};
Declared& declared() {
    static Declared all;
    return all;
}

const DeclaredColumn* find_column(const Declared& all, std::string_view name, IeType type) {
    const auto found = std::find_if(all.columns.begin(), all.columns.end(),
                                    [&](const auto& c) { return c.type == type && c.name == name; });
    return found == all.columns.end() ? nullptr : &*found;
}

const DeclaredColumn& column_of(Declared& all, std::string_view name, IeType type) {
    if (const DeclaredColumn* found = find_column(all, name, type)) return *found;
    return all.columns.emplace_back(DeclaredColumn{std::string(name), type});
}

bool is_name(std::string_view column) {
    return !column.empty() && std::all_of(column.begin(), column.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
               static_cast<unsigned char>(c) >= 0x80;
    });
}

bool is_declarable(IeType type) {
    switch (type) {
        case IeType::kUnsigned64:
        case IeType::kSigned64:
        case IeType::kFloat64:
        case IeType::kBoolean:
        case IeType::kMacAddress:
        case IeType::kIpAddress:
        case IeType::kString:
        case IeType::kAny:
        case IeType::kSigned32List:
            return true;
        default:
            return false;
    }
}

// "udps.packet_40_count": nfstreamUdpsPacket40Count.
std::string element_name(std::string_view column) {
    std::string out = "nfstream";
    bool upper = true;
    for (const char c : column) {
        if (c == '.' || c == '_') {
            upper = true;
            continue;
        }
        out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        upper = false;
    }
    return out;
}

bool takes_own_element(const Declared& all, std::uint16_t id, std::string_view column) {
    return std::any_of(all.rows.begin(), all.rows.end(), [&](const Row& row) {
        return row.element.ie == IeId{kOurPen, id} && row.element.value.declared->name != column;
    });
}

IeId own_element(const Declared& all, std::string_view column) {
    constexpr std::uint32_t kCount = kLastDeclaredElement - kFirstDeclaredElement + 1;
    std::uint32_t hash = 0x811c9dc5;  // FNV-1a
    for (const char c : column) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193;
    for (std::uint32_t i = 0; i < kCount; ++i) {
        const auto id = static_cast<std::uint16_t>(kFirstDeclaredElement + (hash + i) % kCount);
        if (!takes_own_element(all, id, column)) return {kOurPen, id};
    }
    return {};
}

Status check(const FieldDeclaration& d) {
    const auto fault = [&](std::string_view what) {
        return Error{ErrorCode::kInvalidArgument, fmt::format("field \"{}\": {}", d.column, what), ""};
    };
    if (!is_name(d.column) || d.column.size() > kLongestColumn || !is_valid_utf8(d.column))
        return fault("a name has letters, digits, _ and ., 128 octets at most");
    if (!is_declarable(d.type)) return fault("has a type that cannot be declared");
    if (find_field(d.column) != nullptr) return fault("is a field of nfstreamd already");
    if (!d.element.empty() && find_field(d.element) != nullptr)
        return fault(fmt::format("the element {} is one of nfstreamd already", d.element));
    if (d.ie.id == 0 && d.ie.pen != 0) return fault("an element has a number from 1 to 32767");
    if (d.ie.id > 32767) return fault("an element has a number from 1 to 32767");
    if (d.ie.pen == kReversePen) return fault("the reverse of an element is none to be declared (RFC 5103)");
    for (const auto& row : builtin_elements())
        if (d.ie.id != 0 && (row.ie == d.ie || row.ie_v6 == d.ie))
            return fault(fmt::format("its element is that of \"{}\"", row.column));
    return ok();
}

bool same(const FieldDeclaration& a, const FieldDeclaration& b) {
    return a.column == b.column && a.type == b.type && a.description == b.description && a.units == b.units &&
           a.element == b.element && a.ie == b.ie;
}

const InformationElement* add_row(Declared& all, FieldDeclaration text, const DeclaredColumn& column) {
    for (const Row& row : all.rows)
        if (row.element.value.declared == &column && same(row.text, text)) return &row.element;
    Row& row = all.rows.emplace_back(Row{std::move(text), {}});
    row.element = {.column = row.text.column,
                   .name = row.text.element,
                   .ie = row.text.ie,
                   .ie_v6 = {},
                   .type = row.text.type,
                   .wire_length = static_cast<std::uint16_t>(row.text.type == IeType::kIpAddress ? 16 : 0),
                   .semantics = is_list(row.text.type) ? IeSemantics::kList : IeSemantics::kDefault,
                   .group = IeGroup::kDeclared,
                   .side = IeSide::kFlow,
                   .units = row.text.units,
                   .description = row.text.description,
                   .value = FieldReader(column)};
    return &row.element;
}

}  // namespace

Result<const InformationElement*> declare_field(const FieldDeclaration& declaration) {
    if (auto status = check(declaration); !status) return status.error();
    Declared& all = declared();
    const std::lock_guard lock(all.mutex);
    if (all.rows.size() >= kMostRows)
        return Error{ErrorCode::kInvalidArgument, "too many fields have been declared in this process", ""};
    FieldDeclaration text = declaration;
    if (text.element.empty()) text.element = element_name(text.column);
    if (text.ie.id == 0) text.ie = own_element(all, text.column);
    return add_row(all, std::move(text), column_of(all, declaration.column, declaration.type));
}

const InformationElement* renamed_field(const InformationElement& field, std::string_view column) {
    Declared& all = declared();
    const std::lock_guard lock(all.mutex);
    return add_row(all,
                   {.column = std::string(column),
                    .type = field.type,
                    .description = std::string(field.description),
                    .units = std::string(field.units),
                    .element = std::string(field.name),
                    .ie = field.ie},
                   *field.value.declared);
}

const DeclaredColumn* find_declared_column(std::string_view name, IeType type) {
    Declared& all = declared();
    const std::lock_guard lock(all.mutex);
    return find_column(all, name, type);
}

bool suits(IeType type, const FieldValue& value) noexcept {
    switch (type) {
        case IeType::kUnsigned64:
            return std::holds_alternative<std::uint64_t>(value);
        case IeType::kSigned64:
            return std::holds_alternative<std::int64_t>(value);
        case IeType::kFloat64:
            return std::holds_alternative<double>(value);
        case IeType::kBoolean:
            return std::holds_alternative<bool>(value);
        case IeType::kMacAddress:
            return std::holds_alternative<MacAddress>(value);
        case IeType::kIpAddress:
            return std::holds_alternative<IpAddress>(value);
        case IeType::kString:
            return std::holds_alternative<std::string_view>(value);
        case IeType::kSigned32List:
            return std::holds_alternative<std::span<const std::int32_t>>(value);
        case IeType::kAny:
            return !std::holds_alternative<std::monostate>(value) && !std::holds_alternative<Unsigned128>(value);
        default:
            return false;
    }
}

FieldValue declared_value(const DeclaredColumn& column, const FlowRecord& record) noexcept {
    for (const DeclaredValue& declared : record.declared)
        if (declared.column == &column) return declared.value;
    return {};
}

}  // namespace nfstreamd
