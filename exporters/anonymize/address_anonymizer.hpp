// SPDX-License-Identifier: Apache-2.0
// IP addresses cut to a prefix or replaced by prefix-preserving pseudonyms.
// Addresses that stand for nobody stay: unspecified, loopback, limited broadcast
// and multicast. Remembers pseudonyms in a table of fixed size. Belongs to one
// thread.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/ip_address.hpp"
#include "core/base/result.hpp"
#include "exporters/anonymize/anonymization_options.hpp"
#include "exporters/anonymize/crypto_pan.hpp"

namespace nfstreamd::exporters {

class AddressAnonymizer {
public:
    // The key is of kPrefixPreserving alone.
    static Result<std::unique_ptr<AddressAnonymizer>> make(const AnonymizationOptions& options,
                                                           const CryptoPan::Key& key);

    // Of the same version; an absent address stays absent.
    IpAddress anonymize(const IpAddress& address) noexcept;

private:
    struct Known {
        IpAddress address, pseudonym;
    };
    AddressAnonymizer(const AnonymizationOptions& options, std::unique_ptr<CryptoPan> pseudonyms);
    IpAddress truncated(IpAddress address) const noexcept;
    IpAddress pseudonym(const IpAddress& address) noexcept;

    const AddressMethod method_;
    const int prefix_length_v4_, prefix_length_v6_;
    const std::unique_ptr<CryptoPan> pseudonyms_;
    const std::uint64_t seed_;
    std::vector<Known> known_;  // by the hash of the address; the newer one replaces
};

}  // namespace nfstreamd::exporters
