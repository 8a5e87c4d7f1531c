// SPDX-License-Identifier: Apache-2.0
// A batch of records as plugins read it: values of fields in the struct of C,
// made when they are asked for, without allocation. Lives for one call.
#pragma once
#include <chrono>
#include <cstdint>

#include "core/record/flow_record.hpp"
#include "core/record/template.hpp"
#include "exporters/plugin/nfstreamd_exporter.h"

namespace nfstreamd::exporters {

// NFSTREAMD_TEXT and so on.
std::uint32_t plugin_type_of(const InformationElement& field) noexcept;

// Of the field's type, or NFSTREAMD_ABSENT. Points into the record.
nfstreamd_value plugin_value(const InformationElement& field, const FlowRecord& record) noexcept;

class PluginBatch {
public:
    PluginBatch(const RecordBatch& batch, const FieldSelection& fields, std::chrono::milliseconds patience);
    PluginBatch(const PluginBatch&) = delete;
    PluginBatch& operator=(const PluginBatch&) = delete;

    const nfstreamd_batch* batch() const noexcept { return &outside_.batch; }

private:
    struct Outside {
        nfstreamd_batch batch;  // first, so that read() finds the rest
        const PluginBatch* inside;
    };
    static void read(const nfstreamd_batch* batch, std::size_t record, std::size_t first, std::size_t count,
                     nfstreamd_value* values);

    const RecordBatch& records_;
    const FieldSelection& fields_;
    Outside outside_;
};

}  // namespace nfstreamd::exporters
