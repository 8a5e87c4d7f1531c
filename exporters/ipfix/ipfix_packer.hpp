// SPDX-License-Identifier: Apache-2.0
// IPFIX messages for brokers, whose consumers join at any time: each is complete
// in itself, with the templates of its records before them, types of enterprise
// elements and what is to be told of packet selection (RFC 7011, 3). Belongs to
// the thread of its exporter.
#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "exporters/encode/message_packer.hpp"
#include "exporters/ipfix/ipfix_format.hpp"
#include "exporters/session/message_queue.hpp"

namespace nfstreamd::exporters::ipfix {

// What the messages of one exporter share: what is told before the records, and
// the sequence number of its observation domain.
class PackedFormat {
public:
    using Wall = std::function<std::chrono::system_clock::time_point()>;

    // `logger` outlives it. Error: messages of options.max_message are too short.
    static Result<std::shared_ptr<PackedFormat>> make(
        IpfixOptions options, const std::string& name, Logger& logger,
        Wall wall = [] { return std::chrono::system_clock::now(); });

    IpfixFormat& format() noexcept { return *format_; }
    std::size_t room() const noexcept { return format_->max_message(); }  // octets for header and records

    // A complete message of the format, with what it needs before its records.
    void finish(std::span<const std::uint8_t> message, const MessageCounts& counts, PackedMessage& out);

private:
    PackedFormat(std::unique_ptr<IpfixFormat> format, std::size_t max_message, Wall wall);
    Status read_announcement();
    void keep_set(std::span<const std::uint8_t> set);

    std::unique_ptr<IpfixFormat> format_;
    const std::size_t max_message_;
    const Wall wall_;
    std::map<std::uint16_t, std::vector<std::uint8_t>> templates_;  // Sets, by template id
    std::vector<std::uint8_t> options_;                             // Sets
    std::uint32_t options_records_ = 0;
    std::uint64_t version_ = 0;  // of what was announced
    std::uint32_t sequence_ = 0;
};

class IpfixPacker final : public MessagePacker {
public:
    // `records`: flow records of a message.
    IpfixPacker(std::shared_ptr<PackedFormat> format, std::size_t records);

    bool add(const FlowRecord& record) override;
    bool ready() const noexcept override { return !queue_.empty() || records_ >= most_records_; }
    bool empty() const noexcept override { return queue_.empty() && records_ == 0; }
    void take(PackedMessage& out) override;
    void clear() noexcept override;

private:
    const std::shared_ptr<PackedFormat> format_;
    const std::size_t most_records_;
    MessageQueue queue_;
    std::uint32_t records_ = 0;  // flow records in the message under way
};

}  // namespace nfstreamd::exporters::ipfix
