// SPDX-License-Identifier: Apache-2.0
// IPFIX messages for brokers, whose consumers join at any time: each is complete
// in itself, with the templates of its records before them and what is to be told
// of packet selection (RFC 7011, 3). Belongs to the thread of its exporter.
#pragma once
#include <array>
#include <memory>
#include <vector>

#include "core/selection/selector_list.hpp"
#include "exporters/encode/message_packer.hpp"
#include "exporters/ipfix/ipfix_exporter.hpp"
#include "exporters/ipfix/record_encoder.hpp"
#include "exporters/ipfix/record_layout.hpp"

namespace nfstreamd::exporters::ipfix {

// What the messages of one exporter share: layouts, templates, and the sequence
// number of its observation domain.
class PackedFormat {
public:
    struct Kind {  // of data records
        std::uint16_t template_id;
        RecordLayout layout;
        RecordEncoder encoder;
        std::vector<std::uint8_t> template_set;
    };

    // `fields`, `groups`, `private_enterprise_number`, `observation_domain`, `biflow`, `max_message`,
    // `sampling_elements` and `selectors` of the options count.
    static Result<std::shared_ptr<PackedFormat>> make(const IpfixOptions& options, IpfixClock clock = {});

    const Kind& kind_of(const FlowRecord& record, bool biflow) const;
    bool biflow() const noexcept { return biflow_; }
    std::size_t max_message() const noexcept { return max_message_; }
    std::size_t record_limit() const noexcept { return record_limit_; }  // octets that one data record may take
    std::size_t index_of(const Kind& kind) const noexcept { return static_cast<std::size_t>(&kind - kinds_.data()); }

    // Header, still without length, time and number, and Sets with options; the
    // data records among them.
    std::uint32_t begin(std::string& out);
    void finish(std::string& message, std::uint32_t data_records);

private:
    PackedFormat(const IpfixOptions& options, IpfixClock clock);
    Status plan(const IpfixOptions& options);
    void renew_options();

    const IpfixClock clock_;
    const bool biflow_;
    const std::uint32_t domain_;
    const std::size_t max_message_;
    const SamplingElements sampling_elements_;
    const std::shared_ptr<const SelectorList> selectors_;
    std::vector<Kind> kinds_;
    std::size_t record_limit_ = 0;
    std::string begin_;  // of each message
    std::uint32_t options_records_ = 0;
    std::uint64_t selectors_version_ = 0;
    std::uint32_t sequence_ = 0;
};

class IpfixPacker final : public MessagePacker {
public:
    // `records`: flow records of a message.
    IpfixPacker(std::shared_ptr<PackedFormat> format, std::size_t records);

    bool add(const FlowRecord& record) override;
    bool ready() const noexcept override { return complete_.records > 0 || records_ >= most_records_; }
    bool empty() const noexcept override { return complete_.records == 0 && records_ == 0; }
    void take(PackedMessage& out) override;
    void clear() noexcept override;

private:
    std::size_t overhead(const PackedFormat::Kind& kind) const;
    void append(const PackedFormat::Kind& kind, const FlowRecord& record, const RecordTexts& texts, std::size_t length);
    void begin_message();
    void end_set();
    void finish(PackedMessage& out);

    const std::shared_ptr<PackedFormat> format_;
    const std::size_t most_records_;
    std::string text_;  // the message under way
    std::uint32_t records_ = 0, data_records_ = 0;
    std::size_t set_ = 0;                 // where the Set under way begins
    std::uint16_t set_id_ = 0;            // 0: there is none
    std::array<bool, 4> has_template_{};  // by kind
    RecordTexts texts_[2];
    PackedMessage complete_;  // when a record found no room behind it
};

}  // namespace nfstreamd::exporters::ipfix
