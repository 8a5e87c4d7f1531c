// SPDX-License-Identifier: Apache-2.0
// IPFIX (RFC 7011, biflows by RFC 5103) as an export protocol: templates, options
// and data records. Belongs to the thread of its exporter.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "core/selection/selector_list.hpp"
#include "exporters/ipfix/record_encoder.hpp"
#include "exporters/ipfix/record_layout.hpp"
#include "exporters/ipfix/selector_options.hpp"
#include "exporters/session/message_format.hpp"

namespace nfstreamd::exporters::ipfix {

inline constexpr std::uint16_t kStreamMessage = 8192;  // TCP: as libfixbuf and its tools
inline constexpr std::uint16_t kFileMessage = 65535;

struct IpfixOptions {
    FieldSelection fields;
    FieldGroups groups;
    std::uint32_t private_enterprise_number = 0;
    std::uint32_t observation_domain = 0;
    bool biflow = true;
    std::uint16_t max_message = kStreamMessage;
    SamplingElements sampling_elements = SamplingElements::kBoth;
    std::shared_ptr<const SelectorList> selectors;  // announced after the templates; null: none
};

class IpfixFormat final : public MessageFormat {
public:
    // `name` is the exporter's; `logger` outlives the format.
    static Result<std::unique_ptr<IpfixFormat>> make(const IpfixOptions& options, std::string name, Logger& logger);

    const MessageFraming& framing() const noexcept override { return framing_; }
    std::size_t max_message() const noexcept override { return max_message_; }
    Added add(const FlowRecord& record, MessageQueue& queue) override;
    Status announce(MessageQueue& queue) override;
    std::uint64_t announced_version() const noexcept override { return selectors_ ? selectors_->version() : 0; }
    Status announce_changes(MessageQueue& queue) override;
    void stamp(std::span<std::uint8_t> message, const MessageCounts& counts, std::chrono::system_clock::time_point now,
               std::uint32_t sequence) const noexcept override;
    std::uint32_t sequence_step(const MessageCounts& counts) const noexcept override { return counts.data_records; }

private:
    struct Kind {  // of data records: a template and how its records are written
        std::uint16_t template_id;
        RecordLayout layout;
        RecordEncoder encoder;
    };

    IpfixFormat(const IpfixOptions& options, std::string name, Logger& logger);
    Status plan(const IpfixOptions& options);
    std::size_t record_limit(std::size_t max_message) const noexcept;
    const Kind& kind_of(const FlowRecord& record, bool biflow) const;
    std::size_t measure(const Kind& kind, const FlowRecord& record, std::size_t limit, RecordTexts& texts);
    static void append(const Kind& kind, const FlowRecord& record, const RecordTexts& texts, std::size_t length,
                       MessageQueue& queue);

    const std::string name_;
    Logger& logger_;
    const MessageFraming framing_;
    const bool biflow_;
    const std::size_t max_message_;
    const std::uint32_t domain_;
    const SamplingElements sampling_elements_;
    const std::shared_ptr<const SelectorList> selectors_;

    std::vector<Kind> kinds_;  // biflows first, IPv4 first
    RecordTexts texts_[2];
    RateLimit cut_log_;
};

}  // namespace nfstreamd::exporters::ipfix
