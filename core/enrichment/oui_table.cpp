// SPDX-License-Identifier: Apache-2.0
#include "core/enrichment/oui_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "core/base/utf8.hpp"
#include "core/enrichment/csv_reader.hpp"
#include "core/enrichment/table_text.hpp"

namespace nfstreamd {
namespace {

constexpr unsigned kBits = 48, kLeastBits = 8;
constexpr std::size_t kLongestVendor = 255;
constexpr std::string_view kBlank = " \t\r";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Cuts `text` at `separator`; what follows it, or nothing when there is none.
std::string_view split_off(std::string_view& text, std::string_view separator) {
    const auto at = text.find(separator);
    if (at == std::string_view::npos) return {};
    const auto rest = text.substr(at + separator.size());
    text = text.substr(0, at);
    return rest;
}

struct Block {
    std::uint64_t first = 0;
    unsigned bits = 0;
};

// Hexadecimal digits with ':', '-' or '.' between or not, "/BITS" behind them or as many bits as they are.
std::optional<Block> parse_block(std::string_view text) {
    std::string_view digits = text;
    const std::string_view length = split_off(digits, "/");
    Block block;
    unsigned count = 0;
    for (const char c : digits) {
        if (c == ':' || c == '-' || c == '.') continue;
        unsigned digit = 0;
        if (std::from_chars(&c, &c + 1, digit, 16).ec != std::errc() || ++count > kBits / 4) return std::nullopt;
        block.first = block.first << 4 | digit;
    }
    block.first <<= kBits - 4 * count;
    block.bits = 4 * count;
    if (!length.empty()) {
        const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), block.bits);
        if (error != std::errc() || end != length.data() + length.size() || block.bits > kBits) return std::nullopt;
    }
    if (block.bits < kLeastBits) return std::nullopt;
    block.first &= ~((std::uint64_t{1} << (kBits - block.bits)) - 1);
    return block;
}

// The first line that is neither empty nor a comment.
std::string_view first_line(std::string_view text) {
    while (!text.empty()) {
        std::string_view line = text;
        text = split_off(line, "\n");
        line = trimmed(line);
        if (!line.empty() && !line.starts_with('#')) return line;
    }
    return {};
}

}  // namespace

void OuiTable::parse(std::string_view text, const std::string& path, std::vector<Error>& errors) {
    const std::string_view first = first_line(text);
    if (text.find("(hex)") != std::string_view::npos && text.find("(base 16)") != std::string_view::npos)
        parse_lines(text, path, errors, true);
    else if (first.find('\t') != std::string_view::npos)
        parse_lines(text, path, errors, false);
    else if (first.find(',') != std::string_view::npos)
        parse_csv(text, path, errors);
    else
        errors.push_back({ErrorCode::kInvalidArgument,
                          "is neither IEEE's oui.csv or oui.txt, nor Wireshark's manuf, nor a CSV of prefix,vendor",
                          path});
}

void OuiTable::parse_csv(std::string_view text, const std::string& path, std::vector<Error>& errors) {
    LineProblems problems(path, errors);
    CsvReader reader(text);
    std::size_t prefix = 0, vendor = 1;  // columns
    for (bool first = true; const auto fields = reader.next(); first = false) {
        if (!reader.complaint().empty()) {
            problems.add(reader.line(), reader.complaint());
            continue;
        }
        if (first && fields->front() == "Registry") {
            prefix = 1, vendor = 2;
            continue;
        }
        if (first && fields->front() == "prefix") continue;
        if (fields->size() <= vendor) {
            problems.add(reader.line(), "must be prefix,vendor");
            continue;
        }
        if (auto complaint = add((*fields)[prefix], (*fields)[vendor]); !complaint.empty())
            problems.add(reader.line(), std::move(complaint));
    }
}

void OuiTable::parse_lines(std::string_view text, const std::string& path, std::vector<Error>& errors, bool is_ieee) {
    LineProblems problems(path, errors);
    ieee_block_ = {};
    for (std::size_t number = 1; !text.empty(); ++number) {
        std::string_view line = text;
        text = split_off(line, "\n");
        line = trimmed(line);
        if (line.empty() || line.front() == '#') continue;
        auto complaint = is_ieee ? add_ieee(line) : add_manuf(line);
        if (!complaint.empty()) problems.add(number, std::move(complaint));
    }
}

// "AA-BB-CC   (hex)   NAME", then "AABBCC (base 16) NAME", or the last 24 bits of a part of it,
// "D00000-DFFFFF (base 16) NAME", and the vendor's postal address.
std::string OuiTable::add_ieee(std::string_view line) {
    std::string_view digits = line;
    if (const auto name = split_off(digits, "(hex)"); name.data() != nullptr) {
        ieee_block_ = trimmed(digits);
        return {};
    }
    const auto name = split_off(digits, "(base 16)");
    if (name.data() == nullptr) return {};
    digits = trimmed(digits);
    std::string_view low = digits;
    const std::string_view high = split_off(low, "-");
    if (high.empty()) return add(digits, name);
    // as many digits as are the same in both ends of the range
    const auto [differs, unused] = std::mismatch(low.begin(), low.end(), high.begin(), high.end());
    return add(std::string(ieee_block_) + std::string(low.begin(), differs), name);
}

// "AA:BB:CC[:DD:EE:FF][/BITS] TAB SHORT [TAB LONG [TAB COMMENT]]", of tabs sometimes more than one.
std::string OuiTable::add_manuf(std::string_view line) {
    std::string_view digits = line;
    std::string_view name = split_off(digits, "\t");
    const std::string_view full = trimmed(split_off(name, "\t"));
    std::string_view vendor = full.empty() ? name : full;
    split_off(vendor, "\t");
    return add(trimmed(digits), vendor);
}

std::string OuiTable::add(std::string_view digits, std::string_view vendor) {
    const auto block = parse_block(digits);
    if (!block) return fmt::format("\"{}\" is no prefix of a hardware address, such as 00:1B:C5", digits);
    vendor = trimmed(vendor);
    if (vendor.empty()) return "has no vendor";
    if (!is_valid_utf8(vendor)) return "the vendor is not UTF-8";
    prefixes_.add(block->first, block->first | ((std::uint64_t{1} << (kBits - block->bits)) - 1),
                  static_cast<std::uint32_t>(vendors_.size()));
    vendors_.push_back(texts_.copy(utf8_prefix(vendor, kLongestVendor)));
    return {};
}

void OuiTable::build() {
    prefixes_.build();
}

std::string_view OuiTable::vendor(const MacAddress& address) const noexcept {
    std::uint64_t number = 0;
    for (const std::uint8_t octet : address) number = number << 8 | octet;
    if (number == 0) return {};  // the link has none, or it was not seen
    const std::uint32_t found = prefixes_.find(number);
    return found == LongestPrefix<std::uint64_t>::kNone ? std::string_view() : vendors_[found];
}

}  // namespace nfstreamd
