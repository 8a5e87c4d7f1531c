// SPDX-License-Identifier: Apache-2.0
// JSON lines: one object per record, its keys the columns, in their order. What
// a record lacks is null.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/record/template.hpp"
#include "exporters/encode/anonymizer.hpp"
#include "exporters/encode/encoder.hpp"

namespace nfstreamd::exporters {

class JsonEncoder final : public Encoder {
public:
    // `anonymizer` may be null.
    explicit JsonEncoder(FieldSelection fields, std::unique_ptr<const Anonymizer> anonymizer = nullptr);

    void preamble(std::string& out) const override;
    void encode(const FlowRecord& record, std::string& out) const override;

private:
    const FieldSelection fields_;
    const std::unique_ptr<const Anonymizer> anonymizer_;
    const std::vector<bool> anonymized_;  // by field
    std::vector<std::string> keys_;       // with what stands before and behind: `,"src_ip":`
};

}  // namespace nfstreamd::exporters
