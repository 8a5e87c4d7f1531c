// SPDX-License-Identifier: Apache-2.0
// Messages of lines, JSON or CSV as the encoder makes them, or of one JSON array.
// Belongs to the thread of its exporter.
#pragma once
#include <memory>

#include "exporters/encode/encoder.hpp"
#include "exporters/encode/message_packer.hpp"

namespace nfstreamd::exporters {

struct LineLayout {
    bool array = false;     // one JSON array, no lines
    bool header = false;    // each message begins with the encoder's preamble
    bool last_end = false;  // the last line has its end, too
};

class LinePacker final : public MessagePacker {
public:
    // `encoder` may be shared among packers.
    LinePacker(std::shared_ptr<const Encoder> encoder, LineLayout layout, PackLimits limits);

    bool add(const FlowRecord& record) override;
    bool ready() const noexcept override { return complete_.records > 0 || records_ >= limits_.records; }
    bool empty() const noexcept override { return complete_.records == 0 && records_ == 0; }
    void take(PackedMessage& out) override;
    void clear() noexcept override;

private:
    void finish(PackedMessage& out);

    const std::shared_ptr<const Encoder> encoder_;
    const LineLayout layout_;
    const PackLimits limits_;
    std::string begin_;  // of each message
    std::string text_;   // the message under way
    std::string line_;
    std::uint32_t records_ = 0;
    PackedMessage complete_;  // when a record found no room behind it
};

}  // namespace nfstreamd::exporters
