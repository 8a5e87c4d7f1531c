// SPDX-License-Identifier: Apache-2.0
// CSV by RFC 4180 with LF line ends: a header, one line per record, quotes only
// where they are needed. What a record lacks is an empty field.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "core/record/template.hpp"
#include "exporters/encode/anonymizer.hpp"
#include "exporters/encode/encoder.hpp"

namespace nfstreamd::exporters {

class CsvEncoder final : public Encoder {
public:
    // A text that a spreadsheet would take for a formula is written as it is, or with an apostrophe in front.
    enum class Formulas : std::uint8_t { kKeep, kEscape };

    // `anonymizer` may be null.
    explicit CsvEncoder(FieldSelection fields, std::unique_ptr<const Anonymizer> anonymizer = nullptr,
                        Formulas formulas = Formulas::kKeep);

    void preamble(std::string& out) const override;
    void encode(const FlowRecord& record, std::string& out) const override;

private:
    const FieldSelection fields_;
    const std::unique_ptr<const Anonymizer> anonymizer_;
    const std::vector<bool> anonymized_;  // by field
    const Formulas formulas_;
};

}  // namespace nfstreamd::exporters
