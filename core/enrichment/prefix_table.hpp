// SPDX-License-Identifier: Apache-2.0
// What an operator says of address prefixes: a CSV file of
// prefix,label[,asn][,country]. The longest prefix that holds an address is
// found. Const after it was read, any thread.
#pragma once
#include <array>
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

class PrefixTable {
public:
    // `path` is for the errors, "path:line". Null when there are any.
    static std::unique_ptr<const PrefixTable> parse(std::string_view text, const std::string& path,
                                                    std::vector<Error>& errors);

    struct Entry {
        std::string_view label;
        std::uint32_t asn = 0;          // 0: not given
        std::array<char, 2> letters{};  // of the country; zero: not given

        std::string_view country() const {
            return letters[0] == 0 ? std::string_view() : std::string_view(letters.data(), 2);
        }
    };
    // Lives as long as the table; null: no prefix holds the address. An IPv4-mapped address must be given as IPv4.
    const Entry* find(const IpAddress& address) const noexcept;

    std::size_t size() const noexcept { return entries_.size(); }

private:
    __extension__ using Wide = unsigned __int128;

    struct Prefix {
        IpAddress address;
        unsigned bits = 0;
    };
    static Result<Prefix> parse_prefix(const std::string& text);
    static std::string fill(Entry& entry, const std::vector<std::string>& fields, Arena& texts);
    static std::uint32_t number_v4(const IpAddress& address) noexcept;
    static Wide number_v6(const IpAddress& address) noexcept;
    void add(const Prefix& prefix, std::uint32_t entry);

    Arena texts_;
    std::vector<Entry> entries_;
    LongestPrefix<std::uint32_t> v4_;
    LongestPrefix<Wide> v6_;
};

}  // namespace nfstreamd
