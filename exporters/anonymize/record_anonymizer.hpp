// SPDX-License-Identifier: Apache-2.0
// A record without what tells of persons: addresses, hardware addresses and
// texts are replaced in it, and by new ones the blocks that hold any; those of
// the original are not touched. Belongs to one thread.
#pragma once
#include <memory>
#include <string_view>

#include "core/base/arena.hpp"
#include "core/record/flow_record.hpp"
#include "exporters/anonymize/address_anonymizer.hpp"
#include "exporters/anonymize/anonymization_options.hpp"
#include "exporters/anonymize/keyed_digest.hpp"

namespace nfstreamd::exporters {

class RecordAnonymizer {
public:
    static Result<std::unique_ptr<RecordAnonymizer>> make(const AnonymizationOptions& options);

    // `record` is a copy that may point into the batch of the original; what is
    // new is in the arena.
    void anonymize(FlowRecord& record, Arena& arena);

private:
    RecordAnonymizer(const AnonymizationOptions& options, std::unique_ptr<AddressAnonymizer> addresses,
                     std::unique_ptr<KeyedDigest> digests);

    MacAddress mac(const MacAddress& address);
    std::string_view text(std::string_view text, Arena& arena);
    std::string_view address_text(std::string_view text, Arena& arena);
    const TunnelRecord* tunnel(const TunnelRecord& clear, Arena& arena);
    const ApplicationDetails* details(const ApplicationDetails& clear, Arena& arena);
    const ApplicationRecord* application(const ApplicationRecord& clear, Arena& arena);
    EndpointRecord endpoint(const EndpointRecord& clear, Arena& arena);
    const EnrichmentRecord* enrichment(const EnrichmentRecord& clear, Arena& arena);
    std::span<const DeclaredValue> declared(std::span<const DeclaredValue> clear, Arena& arena);
    const ProcessRecord* process(const ProcessRecord& clear, Arena& arena);

    const bool hides_addresses_;
    const MacMethod mac_method_;
    const TextMethod text_method_;
    const std::unique_ptr<AddressAnonymizer> addresses_;
    const std::unique_ptr<KeyedDigest> digests_;  // null: no method needs them
};

}  // namespace nfstreamd::exporters
