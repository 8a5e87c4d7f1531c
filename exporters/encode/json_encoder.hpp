// SPDX-License-Identifier: Apache-2.0
// JSON lines: one object per record, its keys the columns, in their order. What
// a record lacks is null.
#pragma once
#include <string>
#include <vector>

#include "core/record/template.hpp"
#include "exporters/encode/encoder.hpp"

namespace nfstreamd::exporters {

class JsonEncoder final : public Encoder {
public:
    explicit JsonEncoder(FieldSelection fields);

    void preamble(std::string& out) const override;
    void encode(const FlowRecord& record, std::string& out) const override;

private:
    FieldSelection fields_;
    std::vector<std::string> keys_;  // with what stands before and behind: `,"src_ip":`
};

}  // namespace nfstreamd::exporters
