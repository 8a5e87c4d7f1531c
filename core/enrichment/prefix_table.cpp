// SPDX-License-Identifier: Apache-2.0
#include "core/enrichment/prefix_table.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "core/base/utf8.hpp"
#include "core/enrichment/address_form.hpp"
#include "core/enrichment/csv_reader.hpp"
#include "core/enrichment/table_text.hpp"

namespace nfstreamd {
namespace {

constexpr std::size_t kMostFields = 4, kLongestLabel = 255;

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool is_letter(char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

bool is_header(const std::vector<std::string>& fields) {
    return fields.front() == "prefix";
}

}  // namespace

std::uint32_t PrefixTable::number_v4(const IpAddress& address) noexcept {
    std::uint32_t out;
    std::memcpy(&out, address.bytes.data(), sizeof out);
    return __builtin_bswap32(out);
}

PrefixTable::Wide PrefixTable::number_v6(const IpAddress& address) noexcept {
    std::uint64_t words[2];
    std::memcpy(words, address.bytes.data(), sizeof words);
    return Wide{__builtin_bswap64(words[0])} << 64 | __builtin_bswap64(words[1]);
}

Result<PrefixTable::Prefix> PrefixTable::parse_prefix(const std::string& text) {
    const auto slash = text.find('/');
    const std::string address = text.substr(0, slash);
    Prefix prefix;
    prefix.address.version = address.find(':') == std::string::npos ? 4 : 6;
    if (::inet_pton(prefix.address.version == 4 ? AF_INET : AF_INET6, address.c_str(), prefix.address.bytes.data()) !=
        1)
        return Error{ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no prefix, ADDRESS[/BITS]", text), ""};
    const unsigned most = prefix.address.version == 4 ? 32 : 128;
    const auto bits = slash == std::string::npos ? most : number(std::string_view(text).substr(slash + 1));
    if (!bits || *bits > most)
        return Error{ErrorCode::kInvalidArgument, fmt::format("\"{}\": its length must be 0 to {}", text, most), ""};
    prefix.bits = *bits;
    IpAddress network = prefix.address;
    for (unsigned bit = prefix.bits; bit < most; ++bit)
        network.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80u >> bit % 8));
    if (network != prefix.address)
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("\"{}\" has bits behind its length: {}/{} would hold it", text, to_string(network),
                                 prefix.bits),
                     ""};
    constexpr unsigned kMappedBits = 96;
    if (const IpAddress plain = unmapped(prefix.address); plain.version == 4 && prefix.bits >= kMappedBits)
        prefix = {plain, prefix.address.version == 6 ? prefix.bits - kMappedBits : prefix.bits};
    return prefix;
}

// "" or what is wrong.
std::string PrefixTable::fill(Entry& entry, const std::vector<std::string>& fields, Arena& texts) {
    if (fields.size() < 2 || fields.size() > kMostFields) return "must be prefix,label[,asn][,country]";
    if (fields[1].size() > kLongestLabel || !is_valid_utf8(fields[1]))
        return fmt::format("the label must be UTF-8 of at most {} octets", kLongestLabel);
    entry.label = texts.copy(fields[1]);
    if (fields.size() > 2 && !fields[2].empty()) {
        std::string_view digits = fields[2];
        if (digits.starts_with("AS")) digits.remove_prefix(2);
        const auto asn = number(digits);
        if (!asn) return fmt::format("\"{}\" is no number of an autonomous system", fields[2]);
        entry.asn = *asn;
    }
    if (fields.size() > 3 && !fields[3].empty()) {
        const std::string& country = fields[3];
        if (country.size() != 2 || !is_letter(country[0]) || !is_letter(country[1]))
            return fmt::format("\"{}\" is no country: its two letters are wanted, such as DE", country);
        for (std::size_t i = 0; i < 2; ++i)
            entry.letters[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(country[i])));
    }
    return {};
}

void PrefixTable::add(const Prefix& prefix, std::uint32_t entry) {
    if (prefix.address.version == 4) {
        const std::uint32_t first = number_v4(prefix.address);
        v4_.add(first, prefix.bits == 0 ? ~0u : first | ((1u << (32 - prefix.bits)) - 1), entry);
    } else {
        const Wide first = number_v6(prefix.address);
        v6_.add(first, prefix.bits == 0 ? ~Wide{0} : first | ((Wide{1} << (128 - prefix.bits)) - 1), entry);
    }
}

std::unique_ptr<const PrefixTable> PrefixTable::parse(std::string_view text, const std::string& path,
                                                      std::vector<Error>& errors) {
    auto table = std::make_unique<PrefixTable>();
    LineProblems problems(path, errors);
    std::vector<std::size_t> lines;  // of the entries
    CsvReader reader(text);
    while (const auto fields = reader.next()) {
        if (!reader.complaint().empty()) {
            problems.add(reader.line(), reader.complaint());
            continue;
        }
        if (lines.empty() && is_header(*fields)) continue;
        const auto prefix = parse_prefix(fields->front());
        Entry entry;
        const std::string complaint = prefix ? fill(entry, *fields, table->texts_) : prefix.error().message;
        if (!complaint.empty()) {
            problems.add(reader.line(), complaint);
            continue;
        }
        table->add(prefix.value(), static_cast<std::uint32_t>(table->entries_.size()));
        table->entries_.push_back(entry);
        lines.push_back(reader.line());
    }
    auto repeated = table->v4_.build();
    for (const auto& [kept, dropped] : table->v6_.build()) repeated.push_back({kept, dropped});
    for (const auto& [kept, dropped] : repeated)
        problems.add(lines[dropped], fmt::format("this prefix is in line {} already", lines[kept]));
    if (!problems.none()) return nullptr;
    table->entries_.shrink_to_fit();
    return table;
}

const PrefixTable::Entry* PrefixTable::find(const IpAddress& address) const noexcept {
    if (address.version == 0) return nullptr;
    const std::uint32_t entry = address.version == 4 ? v4_.find(number_v4(address)) : v6_.find(number_v6(address));
    return entry == LongestPrefix<std::uint32_t>::kNone ? nullptr : &entries_[entry];
}

}  // namespace nfstreamd
