// SPDX-License-Identifier: Apache-2.0
// The numbers that a model takes, by name: columns of records, or elements of
// lists as "splt_ps.0". Const after construction.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/metering/metering_options.hpp"
#include "core/record/flow_record.hpp"
#include "core/record/template.hpp"

namespace nfstreamd {

class FeatureVector {
public:
    // `declared`: fields of plugins. The error is of a name that is no number of any record.
    static Result<FeatureVector> of(const std::vector<std::string>& names, const FieldSelection& declared);

    // Whether records that are made with these options have them all. The error names the
    // column, and the setting that it needs.
    Status check(const MeteringOptions& options) const;

    std::size_t size() const noexcept { return columns_.size(); }
    // What the record has not got is NaN.
    void read(const FlowRecord& record, std::span<float> row) const noexcept;

    friend bool operator==(const FeatureVector&, const FeatureVector&) = default;

private:
    struct Column {
        const InformationElement* field = nullptr;
        std::size_t element = 0;  // of a list
        std::string name{};
        friend bool operator==(const Column&, const Column&) = default;
    };
    static Result<Column> column(const std::string& name, const FieldSelection& declared);

    std::vector<Column> columns_;
};

}  // namespace nfstreamd
