// SPDX-License-Identifier: Apache-2.0
// What anonymisation does to each field of the table, in the terms of RFC 6235,
// for what announces it. Const after construction; any thread.
#pragma once
#include <cstdint>

#include "core/record/information_element.hpp"
#include "exporters/anonymize/anonymization_options.hpp"

namespace nfstreamd::exporters {

enum class AnonymizationTechnique : std::uint16_t {  // IE 286
    kNone = 1,
    kPrecisionDegradation = 2,  // truncation; in the extreme nothing is left
    kPermutation = 5,
    kStructuredPermutation = 6,
};
enum class AnonymizationStability : std::uint16_t {  // bits 0 and 1 of IE 285
    kUndefined = 0,
    kSession = 1,
    kExporterCollectorPair = 2,  // the same for this exporter; another may have another key
    kStable = 3,
};

struct FieldAnonymization {
    AnonymizationTechnique technique = AnonymizationTechnique::kNone;
    AnonymizationStability stability = AnonymizationStability::kUndefined;
    friend bool operator==(const FieldAnonymization&, const FieldAnonymization&) = default;
};

class AnonymizationPlan {
public:
    explicit AnonymizationPlan(const AnonymizationOptions& options);

    // kNone: its values are as they were.
    FieldAnonymization of(const InformationElement& field) const;

private:
    FieldAnonymization addresses_, address_texts_, macs_, ouis_, texts_, tunnel_keys_;
};

}  // namespace nfstreamd::exporters
