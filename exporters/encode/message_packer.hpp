// SPDX-License-Identifier: Apache-2.0
// Several records into one message, each message complete in itself. Belongs to
// the thread of its exporter.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/record/flow_record.hpp"

namespace nfstreamd::exporters {

struct PackLimits {
    std::size_t records = 1;         // of a message
    std::size_t target = 1'000'000;  // octets that a message of several records has at most
    std::size_t most = 1'000'000;    // octets that a message of one record may have
};

struct PackedMessage {
    std::string payload;
    std::uint32_t records = 0;       // flow records
    std::uint32_t data_records = 0;  // as the format counts them
};

class MessagePacker {
public:
    virtual ~MessagePacker() = default;

    // False: no message has room for this record. Called while ready() is false only.
    virtual bool add(const FlowRecord& record) = 0;

    // A message is complete and wants to be taken.
    virtual bool ready() const noexcept = 0;
    virtual bool empty() const noexcept = 0;  // no record waits

    // The complete message, or the one under way. `out` is overwritten, its memory used again.
    virtual void take(PackedMessage& out) = 0;

    virtual void clear() noexcept = 0;  // forgets the records that wait
};

}  // namespace nfstreamd::exporters
