// SPDX-License-Identifier: Apache-2.0
#include "exporters/encode/line_packer.hpp"

#include <utility>

namespace nfstreamd::exporters {

LinePacker::LinePacker(std::shared_ptr<const Encoder> encoder, LineLayout layout, PackLimits limits)
    : encoder_(std::move(encoder)), layout_(layout), limits_(limits) {
    if (layout_.array) begin_ += '[';
    if (layout_.header && !layout_.array) encoder_->preamble(begin_);
}

bool LinePacker::add(const FlowRecord& record) {
    line_.clear();
    encoder_->encode(record, line_);
    line_.pop_back();  // the end of the line: what stands between lines is ours
    const std::size_t framing = layout_.array || layout_.last_end ? 1 : 0;
    if (begin_.size() + line_.size() + framing > limits_.most) return false;
    if (records_ > 0 && text_.size() + 1 + line_.size() + framing > limits_.target) finish(complete_);
    if (records_ == 0)
        text_ = begin_;
    else
        text_ += layout_.array ? ',' : '\n';
    text_ += line_;
    ++records_;
    return true;
}

void LinePacker::finish(PackedMessage& out) {
    if (layout_.array) text_ += ']';
    if (layout_.last_end && !layout_.array) text_ += '\n';
    out.payload.swap(text_);
    out.records = out.data_records = std::exchange(records_, 0);
    text_.clear();
}

void LinePacker::take(PackedMessage& out) {
    if (complete_.records == 0) return finish(out);
    std::swap(out, complete_);
    complete_.records = 0;
}

void LinePacker::clear() noexcept {
    complete_.records = records_ = 0;
    text_.clear();
}

}  // namespace nfstreamd::exporters
