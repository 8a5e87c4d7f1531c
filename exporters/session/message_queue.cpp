// SPDX-License-Identifier: Apache-2.0
#include "exporters/session/message_queue.hpp"

#include <cassert>
#include <cstring>
#include <utility>

#include "exporters/session/big_endian.hpp"

namespace nfstreamd::exporters {
namespace {

constexpr std::size_t kLengthAt = 2;  // octets or records, by the framing

}  // namespace

std::size_t MessageQueue::padding(std::size_t set_length) const noexcept {
    const std::size_t over = set_length % framing_.set_alignment;
    return over == 0 ? 0 : framing_.set_alignment - over;
}

bool MessageQueue::has_room(std::uint16_t set_id, std::size_t length) const noexcept {
    std::size_t octets = set_id_ == 0 ? framing_.header_length : used_ - complete_;
    if (!framing_.has_sets) return octets + length <= max_message_;
    std::size_t set = MessageFraming::kSetHeader;
    if (set_id_ == set_id) {
        set = used_ - set_;
    } else {
        if (set_id_ != 0) octets += padding(used_ - set_);
        octets += MessageFraming::kSetHeader;
    }
    return octets + length + padding(set + length) <= max_message_;
}

std::uint8_t* MessageQueue::add_data_record(std::uint16_t set_id, std::size_t length) {
    assert(set_id != 0 && has_room(set_id, length));
    if (set_id_ == 0) begin_message();
    if (set_id != set_id_) {
        end_set();
        set_ = used_;
        set_id_ = set_id;
        if (framing_.has_sets) {
            store_big_endian(set_id, buffer_.data() + set_);
            used_ += MessageFraming::kSetHeader;
        }
    }
    std::uint8_t* place = buffer_.data() + used_;
    used_ += length;
    ++under_way_.data_records;
    return place;
}

void MessageQueue::set_max_message(std::size_t octets) {
    max_message_ = octets;
    if (set_id_ != 0 && buffer_.size() < complete_ + octets) buffer_.resize(complete_ + octets);
}

void MessageQueue::begin_message() {
    if (buffer_.size() < complete_ + max_message_) buffer_.resize(complete_ + max_message_);
    std::memcpy(buffer_.data() + complete_, framing_.header.data(), framing_.header_length);
    used_ = complete_ + framing_.header_length;
}

void MessageQueue::end_set() {
    if (set_id_ == 0 || !framing_.has_sets) return;
    const std::size_t fill = padding(used_ - set_);
    std::memset(buffer_.data() + used_, 0, fill);
    used_ += fill;
    store_big_endian(static_cast<std::uint16_t>(used_ - set_), buffer_.data() + set_ + 2);
}

void MessageQueue::end_message() {
    if (set_id_ == 0) return;
    end_set();
    const std::size_t length = framing_.counts_records ? under_way_.data_records : used_ - complete_;
    store_big_endian(static_cast<std::uint16_t>(length), buffer_.data() + complete_ + kLengthAt);
    complete_ = used_;
    ends_.push_back(complete_);
    messages_.push_back(std::exchange(under_way_, {}));
    set_id_ = 0;
}

void MessageQueue::drop_message() noexcept {
    used_ = complete_;
    under_way_ = {};
    set_id_ = 0;
}

void MessageQueue::append(std::span<const std::uint8_t> message, const MessageCounts& counts) {
    assert(set_id_ == 0);
    if (buffer_.size() < complete_ + message.size()) buffer_.resize(complete_ + message.size());
    std::memcpy(buffer_.data() + complete_, message.data(), message.size());
    complete_ = used_ = complete_ + message.size();
    ends_.push_back(complete_);
    messages_.push_back(counts);
}

std::span<std::uint8_t> MessageQueue::message(std::size_t i) noexcept {
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return {buffer_.data() + begin, ends_[i] - begin};
}

// What is behind them moves to the front: mostly nothing, or the message under way.
void MessageQueue::remove_first(std::size_t count) {
    if (count == 0) return;
    const std::size_t octets = ends_[count - 1], end = set_id_ == 0 ? complete_ : used_;
    std::memmove(buffer_.data(), buffer_.data() + octets, end - octets);
    ends_.erase(ends_.begin(), ends_.begin() + static_cast<std::ptrdiff_t>(count));
    for (std::size_t& message_end : ends_) message_end -= octets;
    messages_.erase(messages_.begin(), messages_.begin() + static_cast<std::ptrdiff_t>(count));
    complete_ -= octets;
    used_ = end - octets;
    if (set_id_ != 0) set_ -= octets;
}

}  // namespace nfstreamd::exporters
