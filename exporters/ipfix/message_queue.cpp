// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/message_queue.hpp"

#include <cassert>
#include <cstring>

#include "exporters/ipfix/big_endian.hpp"
#include "exporters/ipfix/record_layout.hpp"

namespace nfstreamd::exporters::ipfix {
namespace {

constexpr std::uint16_t kVersion = 10;
constexpr std::size_t kLengthAt = 2, kExportTimeAt = 4, kSequenceAt = 8, kDomainAt = 12;  // RFC 7011, 3.1

}  // namespace

bool MessageQueue::has_room(std::uint16_t set_id, std::size_t length) const noexcept {
    const std::size_t present = set_id_ == 0 ? kMessageHeader : used_ - complete_;
    return present + (set_id == set_id_ ? 0 : kSetHeader) + length <= max_message_;
}

std::uint8_t* MessageQueue::add_data_record(std::uint16_t set_id, std::size_t length) {
    assert(has_room(set_id, length));
    if (set_id_ == 0) begin_message();
    if (set_id != set_id_) {
        end_set();
        set_ = used_;
        set_id_ = set_id;
        store_big_endian(set_id, buffer_.data() + set_);
        used_ += kSetHeader;
    }
    std::uint8_t* place = buffer_.data() + used_;
    used_ += length;
    ++under_way_.data_records;
    return place;
}

void MessageQueue::begin_message() {
    if (buffer_.size() < complete_ + max_message_) buffer_.resize(complete_ + max_message_);
    std::uint8_t* header = buffer_.data() + complete_;
    std::memset(header, 0, kMessageHeader);
    store_big_endian(kVersion, header);
    store_big_endian(domain_, header + kDomainAt);
    used_ = complete_ + kMessageHeader;
}

void MessageQueue::end_set() {
    if (set_id_ != 0) store_big_endian(static_cast<std::uint16_t>(used_ - set_), buffer_.data() + set_ + 2);
}

void MessageQueue::end_message() {
    if (set_id_ == 0) return;
    end_set();
    store_big_endian(static_cast<std::uint16_t>(used_ - complete_), buffer_.data() + complete_ + kLengthAt);
    complete_ = used_;
    ends_.push_back(complete_);
    messages_.push_back(under_way_);
    under_way_ = {};
    set_id_ = 0;
}

void MessageQueue::append(std::span<const std::uint8_t> message, std::uint32_t data_records) {
    assert(set_id_ == 0);
    if (buffer_.size() < complete_ + message.size()) buffer_.resize(complete_ + message.size());
    std::memcpy(buffer_.data() + complete_, message.data(), message.size());
    complete_ = used_ = complete_ + message.size();
    ends_.push_back(complete_);
    messages_.push_back({0, data_records});
}

void MessageQueue::stamp(std::size_t first, std::uint32_t export_time, std::uint32_t sequence) {
    std::size_t begin = 0;
    for (std::size_t i = 0; i < messages_.size(); begin = ends_[i], sequence += messages_[i].data_records, ++i) {
        if (i < first) continue;
        store_big_endian(export_time, buffer_.data() + begin + kExportTimeAt);
        store_big_endian(sequence, buffer_.data() + begin + kSequenceAt);
    }
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

void MessageQueue::clear() noexcept {
    remove_first(messages_.size());
}

}  // namespace nfstreamd::exporters::ipfix
