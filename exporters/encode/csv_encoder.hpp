// SPDX-License-Identifier: Apache-2.0
// CSV by RFC 4180 with LF line ends: a header, one line per record, quotes only
// where they are needed. What a record lacks is an empty field.
#pragma once
#include "core/record/template.hpp"
#include "exporters/encode/encoder.hpp"

namespace nfstreamd::exporters {

class CsvEncoder final : public Encoder {
public:
    explicit CsvEncoder(FieldSelection fields);

    void preamble(std::string& out) const override;
    void encode(const FlowRecord& record, std::string& out) const override;

private:
    FieldSelection fields_;
};

}  // namespace nfstreamd::exporters
