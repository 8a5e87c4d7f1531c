// SPDX-License-Identifier: Apache-2.0
// One record to bytes; no I/O, no failure. Const after construction, so any
// thread may use it.
#pragma once
#include <string>

#include "core/record/flow_record.hpp"

namespace nfstreamd::exporters {

class Encoder {
public:
    virtual ~Encoder() = default;
    virtual void preamble(std::string& out) const = 0;                          // CSV header, else nothing
    virtual void encode(const FlowRecord& record, std::string& out) const = 0;  // appends one message
};

}  // namespace nfstreamd::exporters
