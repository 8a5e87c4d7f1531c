// SPDX-License-Identifier: Apache-2.0
// Vendors of hardware addresses by their first 24, 28 or 36 bits (IEEE's MA-L,
// MA-M, MA-S), of any number of files: IEEE's oui.csv and oui.txt and their
// kin (Debian's package ieee-data), Wireshark's manuf, or a CSV of
// prefix,vendor. Const after build(), any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/arena.hpp"
#include "core/base/ip_address.hpp"
#include "core/base/result.hpp"
#include "core/enrichment/longest_prefix.hpp"

namespace nfstreamd {

class OuiTable {
public:
    // Adds a file, whose format is told by its first lines; `path` is for the errors, "path:line".
    void parse(std::string_view text, const std::string& path, std::vector<Error>& errors);
    // Once, after the last parse(). Of a prefix that is there twice, as in IEEE's own files, the first vendor stays.
    void build();

    // Lives as long as the table; empty: not known, or no address.
    std::string_view vendor(const MacAddress& address) const noexcept;

    std::size_t size() const noexcept { return vendors_.size(); }

private:
    void parse_csv(std::string_view text, const std::string& path, std::vector<Error>& errors);
    void parse_lines(std::string_view text, const std::string& path, std::vector<Error>& errors, bool is_ieee);
    std::string add_ieee(std::string_view line);  // "" or what is wrong
    std::string add_manuf(std::string_view line);
    std::string add(std::string_view digits, std::string_view vendor);

    Arena texts_;
    std::vector<std::string_view> vendors_;
    LongestPrefix<std::uint64_t> prefixes_;
    std::string_view ieee_block_;  // the 24 bits that the lines under way belong to
};

}  // namespace nfstreamd
