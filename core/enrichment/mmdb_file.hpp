// SPDX-License-Identifier: Apache-2.0
// An MMDB file (MaxMind DB file format 2.0: a search tree over address bits and
// the records that its leaves name), by libmaxminddb. It is copied to memory and
// checked when opened, so that nothing that happens to the file later matters.
// Const after open(), any thread.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/ip_address.hpp"
#include "core/base/result.hpp"

namespace nfstreamd {

// Keys from the outermost map of a record to a value, a null pointer behind the last.
using MmdbPath = const char* const*;

std::string mmdb_library_version();  // "not built in" without it

class MmdbFile {
public:
    // `expected`: a value that records of the file have, so that one kind of file is not taken for another.
    static Result<std::unique_ptr<const MmdbFile>> open(const std::string& path, MmdbPath expected);
    ~MmdbFile();
    MmdbFile(const MmdbFile&) = delete;
    MmdbFile& operator=(const MmdbFile&) = delete;

    enum class Outcome : std::uint8_t { kNothing, kRecord, kDamaged };
    // `record` for text() and number() when there is one. An IPv4 address is found in a tree of IPv6, too.
    Outcome find(const IpAddress& address, std::uint32_t& record) const noexcept;

    // Lives as long as the file; empty, or 0, when the record has no such value. May be no UTF-8.
    std::string_view text(std::uint32_t record, MmdbPath path) const noexcept;
    std::uint64_t number(std::uint32_t record, MmdbPath path) const noexcept;

    const std::string& type() const noexcept;  // "GeoLite2-ASN"
    std::uint64_t build_epoch() const noexcept;
    std::uint32_t nodes() const noexcept;  // of the search tree
    std::uint64_t content_hash() const noexcept;

private:
    struct Implementation;
    explicit MmdbFile(std::unique_ptr<Implementation> implementation);
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace nfstreamd
