// SPDX-License-Identifier: Apache-2.0
#include "config/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "config/substitution.hpp"
#include "core/base/json_text.hpp"
#include "core/base/utf8.hpp"

namespace nfstreamd::config {
namespace {

// Longer ones would not fit a 64-bit count of nanoseconds when added to the time of day.
constexpr std::int64_t kMaxDurationSeconds = std::numeric_limits<std::uint32_t>::max();

struct Unit {
    std::string_view name;
    std::int64_t factor;
};
constexpr std::array kDurationUnits = {Unit{"ms", 1},     Unit{"s", 1000},      Unit{"", 1000},
                                       Unit{"m", 60'000}, Unit{"h", 3'600'000}, Unit{"d", 86'400'000}};
constexpr std::array kSizeUnits = {Unit{"", 1},
                                   Unit{"B", 1},
                                   Unit{"kB", 1000},
                                   Unit{"KB", 1000},
                                   Unit{"MB", 1'000'000},
                                   Unit{"GB", 1'000'000'000},
                                   Unit{"TB", 1'000'000'000'000},
                                   Unit{"KiB", 1ll << 10},
                                   Unit{"MiB", 1ll << 20},
                                   Unit{"GiB", 1ll << 30},
                                   Unit{"TiB", 1ll << 40}};
constexpr std::array kCountUnits = {Unit{"", 1}, Unit{"k", 1000}, Unit{"K", 1000}, Unit{"M", 1'000'000},
                                    Unit{"G", 1'000'000'000}};

// A whole number and one of the units; none on any doubt or overflow.
std::optional<std::int64_t> scaled(std::string_view text, std::span<const Unit> units) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return std::nullopt;
    const std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
    for (const Unit& unit : units) {
        if (suffix != unit.name) continue;
        std::int64_t product = 0;
        if (__builtin_mul_overflow(number, unit.factor, &product)) return std::nullopt;
        return product;
    }
    return std::nullopt;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

bool has_bounds(const SettingSpec& spec) {
    return spec.min != spec.max;
}

bool within(const SettingSpec& spec, double value) {
    return !has_bounds(spec) || (value >= spec.min && value <= spec.max);
}

// A number or a duration, or a word instead.
bool has_word(const SettingSpec& spec) {
    return (spec.type == SettingType::kInteger || spec.type == SettingType::kDuration) && !spec.choices.empty();
}

std::string choices_text(std::string_view choices) {
    std::string out;
    for (const char c : choices) {
        if (c == ' ') {
            out += ", ";
        } else {
            out += c;
        }
    }
    return out;
}

Error unacceptable(const SettingSpec& spec, const std::string& instead = {}) {
    std::string message = requirement(spec);
    if (!instead.empty()) message += ", not " + instead;
    return Error{ErrorCode::kInvalidArgument, std::move(message), ""};
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t kShown = 60;
    const std::string_view shown = utf8_prefix(text, kShown);
    return fmt::format("\"{}{}\"", shown, shown.size() < text.size() ? "..." : "");
}

// Not inlined: gcc 12 with sanitizers would warn of the variant's other members.
[[gnu::noinline]] Result<SettingValue> accepted(SettingValue value) {
    return {std::move(value)};
}

std::optional<bool> bool_of(const std::string& text) {
    const std::string word = lower(text);
    if (word == "true" || word == "yes" || word == "on") return true;
    if (word == "false" || word == "no" || word == "off") return false;
    return std::nullopt;
}

Result<SettingValue> parse_bool(const SettingSpec& spec, const std::string& text) {
    if (const auto flag = bool_of(text)) return accepted(*flag);
    return unacceptable(spec, in_quotes(text));
}

Result<SettingValue> parse_whole(const SettingSpec& spec, const std::string& text, std::span<const Unit> units) {
    const auto number = scaled(text, units);
    if (!number || !within(spec, static_cast<double>(*number))) return unacceptable(spec, in_quotes(text));
    if (spec.type == SettingType::kSize && *number < 0) return unacceptable(spec, in_quotes(text));
    return accepted(*number);
}

Result<SettingValue> parse_number(const SettingSpec& spec, const std::string& text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = error == std::errc{} && end == text.data() + text.size();
    if (!whole || !std::isfinite(number) || !within(spec, number)) return unacceptable(spec, in_quotes(text));
    return accepted(number);
}

Result<SettingValue> parse_duration(const SettingSpec& spec, const std::string& text) {
    auto milliseconds = scaled(text, kDurationUnits);
    if (spec.negative_is_zero && milliseconds && *milliseconds < 0) milliseconds = 0;
    const bool fits = milliseconds && *milliseconds >= 0 && *milliseconds <= kMaxDurationSeconds * 1000 &&
                      within(spec, static_cast<double>(*milliseconds) / 1000);
    if (!fits) return unacceptable(spec, in_quotes(text));
    return accepted(std::chrono::milliseconds(*milliseconds));
}

Result<SettingValue> parse_string(const SettingSpec& spec, const std::string& text) {
    if (text.find('\0') != std::string::npos) {
        return Error{ErrorCode::kInvalidArgument, "must not contain a NUL character", ""};
    }
    if (spec.required && text.empty()) return Error{ErrorCode::kInvalidArgument, "must not be empty", ""};
    return accepted(text);
}

bool is_choice(const SettingSpec& spec, std::string_view text) {
    std::string_view rest = spec.choices;
    while (!rest.empty()) {
        const std::string_view choice = rest.substr(0, rest.find(' '));
        if (choice == text) return true;
        rest.remove_prefix(std::min(rest.size(), choice.size() + 1));
    }
    return false;
}

Result<SettingValue> parse_choice(const SettingSpec& spec, const std::string& text) {
    if (text.empty() && spec.default_value.empty() && !spec.required) return accepted(text);  // none of them
    return is_choice(spec, text) ? accepted(text) : unacceptable(spec, in_quotes(text));
}

// Each of them a choice; a boolean in any spelling, when it is one, stands alone.
Status check_choices(const SettingSpec& spec, std::vector<std::string>& strings) {
    for (std::string& text : strings) {
        const bool boolean = is_choice(spec, "true") && bool_of(text).has_value();
        if (boolean && strings.size() == 1) text = *bool_of(text) ? "true" : "false";
        if (!is_choice(spec, text) || (boolean && strings.size() > 1)) return unacceptable(spec, in_quotes(text));
    }
    return ok();
}

Result<SettingValue> parse_list(const SettingSpec& spec, const Node& node) {
    std::vector<std::string> strings;
    if (node.is_scalar() && !node.scalar.empty()) strings.push_back(node.scalar);
    for (const Node& item : node.items) {
        if (!item.is_scalar() || item.scalar.empty()) {
            return unacceptable(spec, item.is_scalar() ? "one with an empty string in it"
                                                       : fmt::format("one with {} in it", item.kind_text()));
        }
        strings.push_back(item.scalar);
    }
    for (const std::string& text : strings) {
        if (text.find('\0') != std::string::npos) {
            return Error{ErrorCode::kInvalidArgument, "must not contain a NUL character", ""};
        }
    }
    if (spec.required && strings.empty()) return Error{ErrorCode::kInvalidArgument, "must not be empty", ""};
    if (!spec.choices.empty())
        if (auto status = check_choices(spec, strings); !status) return status.error();
    return accepted(std::move(strings));
}

std::string print_duration(std::chrono::milliseconds duration) {
    const auto milliseconds = duration.count();
    if (milliseconds % 1000 != 0) return fmt::format("{}ms", milliseconds);
    return fmt::format("{}s", milliseconds / 1000);
}

std::string print_size(std::int64_t octets) {
    for (auto unit = kSizeUnits.rbegin(); unit != kSizeUnits.rend() && unit->factor % 1024 == 0; ++unit) {
        if (octets != 0 && octets % unit->factor == 0) return fmt::format("{}{}", octets / unit->factor, unit->name);
    }
    return fmt::format("{}", octets);
}

// Code point of a well-formed sequence.
std::uint32_t code_point(std::string_view sequence) {
    const auto lead = static_cast<unsigned char>(sequence[0]);
    if (sequence.size() == 1) return lead;
    std::uint32_t value = lead & (0xffu >> (sequence.size() + 1));
    for (const char c : sequence.substr(1)) value = (value << 6) | (static_cast<unsigned char>(c) & 0x3fu);
    return value;
}

// Characters that YAML does not keep, or that a terminal obeys.
bool must_be_escaped(std::uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
           c == 0xfeff || (c & 0xfffe) == 0xfffe;
}

void append_escaped(std::string& out, std::uint32_t c) {
    if (c == '\n') {
        out += "\\n";
    } else if (c == '\t') {
        out += "\\t";
    } else if (c < 0x100) {
        out += fmt::format("\\x{:02x}", c);
    } else if (c < 0x10000) {
        out += fmt::format("\\u{:04x}", c);
    } else {
        out += fmt::format("\\U{:08x}", c);
    }
}

bool is_plain_word(std::string_view text) {
    const auto is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '/';
    };
    const auto is_inner = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-'; };
    if (text.empty() || !is_letter(text[0]) || !std::all_of(text.begin(), text.end(), is_inner)) return false;
    constexpr std::array<std::string_view, 9> kOtherTypes = {"null", "true", "false", "yes", "no",
                                                             "on",   "off",  "y",     "n"};
    return std::find(kOtherTypes.begin(), kOtherTypes.end(), lower(text)) == kOtherTypes.end();
}

// A number as JSON has it, which is stricter than YAML.
bool is_json_number(std::string_view text) {
    std::size_t at = text.starts_with('-') ? 1 : 0;
    const auto digits = [&] {
        const std::size_t first = at;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
        return at - first;
    };
    const std::size_t whole = at;
    const std::size_t count = digits();
    if (count == 0 || (count > 1 && text[whole] == '0')) return false;
    if (at < text.size() && text[at] == '.') {
        ++at;
        if (digits() == 0) return false;
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
        if (digits() == 0) return false;
    }
    return at == text.size();
}

void append_json(std::string& out, const Node& node) {
    if (node.is_map()) {
        out += '{';
        for (const Member& member : node.members) {
            if (out.back() != '{') out += ", ";
            append_json_string(out, member.key);
            out += ": ";
            append_json(out, member.value);
        }
        out += '}';
    } else if (node.is_list()) {
        out += '[';
        for (const Node& item : node.items) {
            if (out.back() != '[') out += ", ";
            append_json(out, item);
        }
        out += ']';
    } else if (!node.is_scalar()) {
        out += "null";
    } else if (!node.quoted && (node.scalar == "true" || node.scalar == "false" || is_json_number(node.scalar))) {
        out += node.scalar;
    } else {
        append_json_string(out, node.scalar);
    }
}

std::string json_of(const Node& node) {
    std::string out;
    append_json(out, node);
    return out;
}

// What json_of() made, so that a load reads it as the same: variables are replaced in values, and in keys not.
std::string print_json(std::string_view json) {
    std::string out;
    while (!json.empty()) {
        std::size_t end = 1;
        if (json.front() == '"') {
            while (json[end] != '"') end += json[end] == '\\' ? 2 : 1;
            ++end;
        }
        const std::string token(json.substr(0, end));
        json.remove_prefix(end);
        out += json.starts_with(':') ? token : escape_variables(token);
    }
    return out;
}

}  // namespace

Result<SettingValue> parse_value(const SettingSpec& spec, const Node& node) {
    if (has_word(spec) && node.is_scalar() && node.scalar == spec.choices) return accepted(std::monostate{});
    if (spec.type == SettingType::kStringList) {
        return node.is_map() ? Result<SettingValue>(unacceptable(spec, "a map")) : parse_list(spec, node);
    }
    if (spec.type == SettingType::kTree) return accepted(json_of(node));
    if (!node.is_scalar()) return unacceptable(spec, std::string(node.kind_text()));
    switch (spec.type) {
        case SettingType::kBool:
            return parse_bool(spec, node.scalar);
        case SettingType::kInteger:
            return parse_whole(spec, node.scalar, kCountUnits);
        case SettingType::kNumber:
            return parse_number(spec, node.scalar);
        case SettingType::kDuration:
            return parse_duration(spec, node.scalar);
        case SettingType::kSize:
            return parse_whole(spec, node.scalar, kSizeUnits);
        case SettingType::kChoice:
            return parse_choice(spec, node.scalar);
        case SettingType::kString:
        case SettingType::kSecret:
        case SettingType::kStringList:
        case SettingType::kTree:
            break;
    }
    return parse_string(spec, node.scalar);
}

std::string requirement(const SettingSpec& spec) {
    const auto bounds = [&](std::string_view unit) {
        return has_bounds(spec) ? fmt::format(" from {:.0f}{} to {:.0f}{}", spec.min, unit, spec.max, unit) : "";
    };
    const std::string word = has_word(spec) ? fmt::format("{} or ", spec.choices) : "";
    switch (spec.type) {
        case SettingType::kBool:
            return "must be true or false";
        case SettingType::kInteger:
            return fmt::format("must be {}an integer{}", word, bounds(""));
        case SettingType::kNumber:
            return has_bounds(spec) ? fmt::format("must be a number from {} to {}", spec.min, spec.max)
                                    : "must be a number";
        case SettingType::kDuration:
            return has_bounds(spec)
                       ? fmt::format("must be {}a duration from {}s to {}s, such as 120, 120s, 5m, 1h or 500ms", word,
                                     spec.min, fmt::format("{:.15g}", spec.max))
                       : fmt::format("must be {}a duration such as 120, 120s, 5m, 1h or 500ms", word);
        case SettingType::kSize:
            return fmt::format("must be a size in octets{}, such as 65536, 64KiB or 64MB", bounds(""));
        case SettingType::kChoice:
            return fmt::format("must be one of: {}", choices_text(spec.choices));
        case SettingType::kStringList:
            return spec.choices.empty() ? "must be a string or a list of strings"
                                        : fmt::format("must be one or a list of: {}", choices_text(spec.choices));
        case SettingType::kTree:
            return "may be anything";
        case SettingType::kString:
        case SettingType::kSecret:
            break;
    }
    return "must be a string";
}

std::string text_pattern(SettingType type) {
    if (type == SettingType::kNumber) return "^-?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?$";
    const std::span<const Unit> units = type == SettingType::kDuration ? std::span<const Unit>(kDurationUnits)
                                        : type == SettingType::kSize   ? std::span<const Unit>(kSizeUnits)
                                                                       : std::span<const Unit>(kCountUnits);
    std::string names;
    for (const Unit& unit : units) names += fmt::format("{}{}", names.empty() ? "" : "|", unit.name);
    return fmt::format("^-?[0-9]+({})$", names);
}

std::string print_string(const std::string& text) {
    if (is_plain_word(text)) return text;
    const std::string escaped = escape_variables(text);
    std::string out = "\"";
    std::string_view rest = escaped;
    while (!rest.empty()) {
        const std::size_t length = utf8_sequence_length(rest);
        const std::string_view sequence = rest.substr(0, std::max<std::size_t>(length, 1));
        const std::uint32_t c = length == 0 ? 0xfffd : code_point(sequence);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += sequence;
        } else if (length == 0 || must_be_escaped(c)) {
            append_escaped(out, c);
        } else {
            out += sequence;
        }
        rest.remove_prefix(sequence.size());
    }
    return out + '"';
}

std::string print_value(const SettingSpec& spec, const SettingValue& value) {
    if (std::holds_alternative<std::monostate>(value)) return std::string(spec.choices);
    if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        return spec.type == SettingType::kSize ? print_size(*number) : fmt::format("{}", *number);
    }
    if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
    if (const auto* duration = std::get_if<std::chrono::milliseconds>(&value)) return print_duration(*duration);
    if (const auto* text = std::get_if<std::string>(&value))
        return spec.type == SettingType::kTree ? print_json(*text) : print_string(*text);
    const auto* strings = std::get_if<std::vector<std::string>>(&value);
    assert(strings && "a setting without a value is not printed");
    if (!spec.choices.empty() && strings->size() == 1) return strings->front();
    std::string out = "[";
    for (const std::string& text : *strings) {
        if (out.size() > 1) out += ", ";
        out += print_string(text);
    }
    return out + "]";
}

}  // namespace nfstreamd::config
