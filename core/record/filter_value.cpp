// SPDX-License-Identifier: Apache-2.0
#include "core/record/filter_value.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <compare>
#include <cstring>
#include <optional>

namespace nfstreamd {
namespace {

struct KindRow {
    FilterKind kind;
    std::string_view name, operators;
};
constexpr KindRow kKinds[] = {
    {FilterKind::kNumber, "a number", "== != < <= > >= and in"},
    {FilterKind::kTime, "a time", "== != < <= > >= and in"},
    {FilterKind::kBoolean, "true or false", "== and !="},
    {FilterKind::kText, "a text", "== != ~ and in"},
    {FilterKind::kAddress, "an address", "== != and in"},
    {FilterKind::kMac, "a hardware address", "== != and in"},
    {FilterKind::kAny, "a number or a text", "== != < <= > >= ~ and in"},
    {FilterKind::kNothing, "a list", "nothing"},
};

const KindRow& row(FilterKind kind) {
    return kKinds[static_cast<std::size_t>(kind)];
}

Error wrong(const InformationElement& field, std::string_view text, std::string_view expected) {
    constexpr std::size_t kLongest = 40;
    return {ErrorCode::kInvalidArgument,
            fmt::format("\"{}{}\" is not {}, as \"{}\" is", text.substr(0, kLongest),
                        text.size() > kLongest ? "..." : "", expected, field.column),
            ""};
}

// ---- numbers ----

// How many of the field's units a suffix stands for; 0: none of them.
double units_of(const InformationElement& field, std::string_view suffix) {
    struct Unit {
        std::string_view name;
        double seconds;
    };
    constexpr Unit kSuffixes[] = {{"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    constexpr Unit kUnits[] = {{"microseconds", 1e-6}, {"milliseconds", 1e-3}, {"seconds", 1}};
    const auto find = [](std::string_view name, const auto& rows) {
        for (const Unit& unit : rows)
            if (unit.name == name) return unit.seconds;
        return 0.0;
    };
    const double unit = find(field.units, kUnits);
    return unit == 0 ? 0 : find(suffix, kSuffixes) / unit;
}

FilterNumber real_number(double value) {
    FilterNumber out;
    out.real = value;
    out.negative = value < 0;
    const double magnitude = std::abs(value);
    out.integral = magnitude < 9e15 && magnitude == static_cast<double>(static_cast<std::uint64_t>(magnitude));
    if (out.integral) out.magnitude = static_cast<std::uint64_t>(magnitude);
    return out;
}

std::optional<FilterNumber> parse_whole(std::string_view text, bool negative) {
    const int base = text.starts_with("0x") ? 16 : 10;
    if (base == 16) text.remove_prefix(2);
    FilterNumber out;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.magnitude, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    out.negative = negative && out.magnitude != 0;
    out.real = out.negative ? -static_cast<double>(out.magnitude) : static_cast<double>(out.magnitude);
    return out;
}

std::optional<FilterNumber> parse_number(const InformationElement& field, std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    if (text.empty() || !((text[0] >= '0' && text[0] <= '9') || text[0] == '.')) return std::nullopt;  // no "inf"
    if (const auto whole = parse_whole(text, negative)) return whole;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return std::nullopt;
    const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
    if (!suffix.empty()) {
        const double factor = units_of(field, suffix);
        if (factor == 0) return std::nullopt;
        // a power of ten less than 1 is no exact factor
        value = factor < 1 ? value / (1 / factor) : value * factor;
    }
    return real_number(negative ? -value : value);
}

// "2024-05-01", "2024-05-01T12:30:00Z", "2024-05-01T12:30:00.250Z", in UTC.
std::optional<FilterNumber> parse_time(std::string_view text) {
    if (text.ends_with('Z')) text.remove_suffix(1);
    constexpr std::string_view kShape = "0000-00-00T00:00:00.000";
    if (text.size() != 10 && text.size() != 16 && text.size() != 19 && text.size() != kShape.size())
        return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (kShape[i] == '0' ? !digit : text[i] != kShape[i]) return std::nullopt;
    }
    const auto number = [&](std::size_t at, std::size_t digits) {
        unsigned value = 0;
        for (std::size_t i = at; i < at + digits && i < text.size(); ++i)
            value = value * 10 + static_cast<unsigned>(text[i] - '0');
        return value;
    };
    namespace chrono = std::chrono;
    const chrono::year_month_day day{chrono::year(static_cast<int>(number(0, 4))), chrono::month(number(5, 2)),
                                     chrono::day(number(8, 2))};
    const unsigned hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
    if (!day.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    const auto since = chrono::sys_days(day).time_since_epoch() + chrono::hours(hour) + chrono::minutes(minute) +
                       chrono::seconds(second) + chrono::milliseconds(number(20, 3));
    const auto ms = chrono::duration_cast<chrono::milliseconds>(since).count();
    FilterNumber out;
    out.negative = ms < 0;
    out.magnitude = static_cast<std::uint64_t>(ms < 0 ? -ms : ms);
    out.real = static_cast<double>(ms);
    return out;
}

std::optional<FilterNumber> parse_boolean(std::string_view text) {
    FilterNumber out;
    out.magnitude = text == "true" ? 1 : 0;
    out.real = static_cast<double>(out.magnitude);
    return text == "true" || text == "false" ? std::optional(out) : std::nullopt;
}

// ---- addresses ----

void clear_behind(AddressBlock& block) {
    for (unsigned i = 0; i < block.address.bytes.size(); ++i) {
        const unsigned kept = block.prefix > 8 * i ? std::min(block.prefix - 8 * i, 8u) : 0;
        block.address.bytes[i] &= static_cast<std::uint8_t>(0xff00u >> kept);
    }
}

std::optional<AddressBlock> parse_block(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string address(text.substr(0, slash));
    AddressBlock block;
    if (inet_pton(AF_INET, address.c_str(), block.address.bytes.data()) == 1)
        block.address.version = 4;
    else if (inet_pton(AF_INET6, address.c_str(), block.address.bytes.data()) == 1)
        block.address.version = 6;
    else
        return std::nullopt;
    const unsigned bits = block.address.version == 4 ? 32 : 128;
    block.prefix = bits;
    if (slash == std::string_view::npos) return block;
    const std::string_view prefix = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(prefix.data(), prefix.data() + prefix.size(), block.prefix);
    if (error != std::errc() || end != prefix.data() + prefix.size() || block.prefix > bits) return std::nullopt;
    clear_behind(block);
    return block;
}

bool contains(const AddressBlock& block, const IpAddress& address) {
    if (address.version != block.address.version) return false;
    const std::size_t whole = block.prefix / 8;
    if (std::memcmp(address.bytes.data(), block.address.bytes.data(), whole) != 0) return false;
    if (block.prefix % 8 == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xff00u >> block.prefix % 8);
    return (address.bytes[whole] & mask) == block.address.bytes[whole];
}

std::optional<MacAddress> parse_mac(std::string_view text) {
    MacAddress mac{};
    if (text.size() != 17) return std::nullopt;
    for (std::size_t i = 0; i < 6; ++i) {
        const char* at = text.data() + 3 * i;
        const auto [end, error] = std::from_chars(at, at + 2, mac[i], 16);
        if (error != std::errc() || end != at + 2 || (i < 5 && at[2] != ':')) return std::nullopt;
    }
    return mac;
}

// ---- comparison ----

std::partial_ordering reversed(std::partial_ordering order) {
    return 0 <=> order;
}

std::partial_ordering compare(std::uint64_t value, const FilterNumber& wanted) {
    if (!wanted.integral) return static_cast<double>(value) <=> wanted.real;
    if (wanted.negative) return std::partial_ordering::greater;
    return value <=> wanted.magnitude;
}

std::partial_ordering compare(std::int64_t value, const FilterNumber& wanted) {
    if (value >= 0) return compare(static_cast<std::uint64_t>(value), wanted);
    if (!wanted.integral) return static_cast<double>(value) <=> wanted.real;
    if (!wanted.negative) return std::partial_ordering::less;
    return reversed((~static_cast<std::uint64_t>(value) + 1) <=> wanted.magnitude);
}

std::partial_ordering compare(const FieldValue& value, const FilterNumber& wanted) {
    if (const auto* u = std::get_if<std::uint64_t>(&value)) return compare(*u, wanted);
    if (const auto* i = std::get_if<std::int64_t>(&value)) return compare(*i, wanted);
    if (const auto* d = std::get_if<double>(&value)) return *d <=> wanted.real;
    if (const auto* b = std::get_if<bool>(&value)) return compare(std::uint64_t{*b}, wanted);
    return std::partial_ordering::unordered;
}

bool holds(std::partial_ordering order, FilterOperator op) {
    switch (op) {
        case FilterOperator::kEqual:
            return order == 0;
        case FilterOperator::kNotEqual:
            return order != 0;
        case FilterOperator::kLess:
            return order < 0;
        case FilterOperator::kLessEqual:
            return order <= 0;
        case FilterOperator::kGreater:
            return order > 0;
        case FilterOperator::kGreaterEqual:
            return order >= 0;
        case FilterOperator::kContains:
            break;
    }
    return false;
}

bool contains(std::string_view text, std::string_view part) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    const auto same = [&](char a, char b) { return lower(a) == lower(b); };
    return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end() || part.empty();
}

}  // namespace

FilterKind filter_kind(const InformationElement& field) noexcept {
    switch (field.type) {
        case IeType::kUnsigned8:
        case IeType::kUnsigned16:
        case IeType::kUnsigned32:
        case IeType::kUnsigned64:
        case IeType::kSigned32:
        case IeType::kSigned64:
        case IeType::kFloat64:
            return FilterKind::kNumber;
        case IeType::kBoolean:
            return FilterKind::kBoolean;
        case IeType::kMacAddress:
            return FilterKind::kMac;
        case IeType::kIpAddress:
            return FilterKind::kAddress;
        case IeType::kDateTimeMilliseconds:
            return FilterKind::kTime;
        case IeType::kString:
            return FilterKind::kText;
        case IeType::kAny:
            return FilterKind::kAny;
        case IeType::kOctetArray:
            return field.value.form == FieldForm::kNumberOf ? FilterKind::kNumber : FilterKind::kNothing;
        case IeType::kSigned8List:
        case IeType::kUnsigned16List:
        case IeType::kGapList:
        case IeType::kSigned32List:
            break;
    }
    return FilterKind::kNothing;
}

Status check_filter_operator(const InformationElement& field, FilterOperator op) {
    const FilterKind kind = filter_kind(field);
    const bool is_equality = op == FilterOperator::kEqual || op == FilterOperator::kNotEqual;
    const bool is_number = kind == FilterKind::kNumber || kind == FilterKind::kTime || kind == FilterKind::kAny;
    const bool takes = op == FilterOperator::kContains ? kind == FilterKind::kText || kind == FilterKind::kAny
                       : is_equality                   ? kind != FilterKind::kNothing
                                                       : is_number;
    if (takes) return ok();
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("\"{}\" is {} and compared by {}", field.column, row(kind).name, row(kind).operators), ""};
}

Result<FilterValue> parse_filter_value(const InformationElement& field, std::string_view text) {
    const FilterKind kind = filter_kind(field);
    const auto result = [&](auto parsed, std::string_view expected) -> Result<FilterValue> {
        if (!parsed) return wrong(field, text, expected);
        return FilterValue(*parsed);
    };
    switch (kind) {
        case FilterKind::kNumber: {
            const bool is_duration = units_of(field, "s") != 0;
            return result(parse_number(field, text), is_duration ? "a number or a duration such as 5s" : "a number");
        }
        case FilterKind::kTime: {
            const auto time = parse_time(text);
            return result(time ? time : parse_whole(text, false),
                          "a time such as 2024-05-01T12:30:00Z or milliseconds since 1970");
        }
        case FilterKind::kBoolean:
            return result(parse_boolean(text), "true or false");
        case FilterKind::kAddress:
            return result(parse_block(text), "an address or a block such as 10.0.0.0/8");
        case FilterKind::kMac:
            return result(parse_mac(text), "a hardware address such as 02:00:00:00:00:01");
        case FilterKind::kAny:
            if (const auto number = parse_number(field, text)) return FilterValue(*number);
            return FilterValue(std::string(text));
        case FilterKind::kText:
            return FilterValue(std::string(text));
        case FilterKind::kNothing:
            break;
    }
    return wrong(field, text, "comparable");
}

bool filter_matches(const FieldValue& value, FilterOperator op, const FilterValue& wanted) noexcept {
    bool equal = false;
    if (const auto* number = std::get_if<FilterNumber>(&wanted)) return holds(compare(value, *number), op);
    if (const auto* text = std::get_if<std::string>(&wanted)) {
        const auto* view = std::get_if<std::string_view>(&value);
        if (op == FilterOperator::kContains) return view != nullptr && contains(*view, *text);
        equal = view != nullptr && *view == *text;
    } else if (const auto* block = std::get_if<AddressBlock>(&wanted)) {
        const auto* address = std::get_if<IpAddress>(&value);
        equal = address != nullptr && contains(*block, *address);
    } else if (const auto* mac = std::get_if<MacAddress>(&wanted)) {
        const auto* held = std::get_if<MacAddress>(&value);
        equal = held != nullptr && *held == *mac;
    }
    return op == FilterOperator::kNotEqual ? !equal : equal;
}

}  // namespace nfstreamd
