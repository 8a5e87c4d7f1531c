// SPDX-License-Identifier: Apache-2.0
// The files of one EnrichmentOptions, read. Shared by all meters, replaced as a
// whole by a reload; strings that a lookup gives live as long as this. Const
// after load(), any thread.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ip_address.hpp"
#include "core/base/result.hpp"
#include "core/enrichment/enrichment_options.hpp"
#include "core/enrichment/mmdb_file.hpp"
#include "core/enrichment/oui_table.hpp"
#include "core/enrichment/prefix_table.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

class EnrichmentTables {
public:
    struct Problem {
        std::string key;  // "asn": which setting
        Error error;
    };
    // Null when there is a problem, or when no file is named.
    static std::shared_ptr<const EnrichmentTables> load(const EnrichmentOptions& options,
                                                        std::vector<Problem>& problems);

    // All but the vendor. What `networks` says of a prefix goes before the MMDB files. `damaged`: a file
    // could not be read where the address would be.
    EndpointRecord describe(const IpAddress& address, bool& damaged) const noexcept;
    std::string_view vendor(const MacAddress& address) const noexcept {
        return vendors_ ? vendors_->vendor(address) : std::string_view();
    }

    struct Description {
        std::string key, path, type;
        std::uint64_t build_epoch = 0;  // seconds since 1970; 0: the file does not say
        std::uint64_t entries = 0;      // of an MMDB file nodes of its tree
    };
    const std::vector<Description>& descriptions() const { return descriptions_; }
    std::uint64_t content() const { return content_; }  // hash of all files

private:
    using Problems = std::vector<Problem>;

    std::unique_ptr<const MmdbFile> load_mmdb(const char* key, const std::string& path, MmdbPath expected,
                                              Problems& problems);
    void load_networks(const std::string& path, Problems& problems);
    void load_vendors(const std::vector<std::string>& paths, Problems& problems);
    void note(Description description, std::uint64_t content);

    std::unique_ptr<const MmdbFile> asn_, country_;
    std::unique_ptr<const PrefixTable> networks_;
    std::unique_ptr<OuiTable> vendors_;
    std::vector<Description> descriptions_;
    std::uint64_t content_ = 0;
};

}  // namespace nfstreamd
