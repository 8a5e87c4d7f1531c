// SPDX-License-Identifier: Apache-2.0
// IPFIX (RFC 7011, biflows by RFC 5103) as an export protocol: templates, options
// and data records. Belongs to the thread of its exporter.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "exporters/anonymize/anonymization_plan.hpp"
#include "exporters/ipfix/fixbuf_model.hpp"
#include "exporters/ipfix/record_encoder.hpp"
#include "exporters/ipfix/record_layout.hpp"
#include "exporters/options/options_announcer.hpp"
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
    OptionsProfile options;  // its protocol and domain are set here
    std::shared_ptr<const SelectorList> selectors{};
    std::shared_ptr<const ProcessFacts> facts{};
    std::uint32_t exporting_process = 0;
    std::shared_ptr<const AnonymizationPlan> anonymization{};  // null: records are as they were
};

class IpfixFormat final : public MessageFormat {
public:
    // `name` is the exporter's; `logger` outlives the format.
    static Result<std::unique_ptr<IpfixFormat>> make(const IpfixOptions& options, std::string name, Logger& logger);

    const MessageFraming& framing() const noexcept override { return framing_; }
    std::size_t max_message() const noexcept override { return max_message_; }
    Added add(const FlowRecord& record, MessageQueue& queue) override;
    Status announce(MessageQueue& queue, SessionTemplates& known) override;
    void repeat_templates(MessageQueue& queue, const SessionTemplates& known) override;
    std::uint64_t announced_version() const noexcept override { return announcer_->version(); }
    void announce_changes(MessageQueue& queue, SessionTemplates& known) override {
        announcer_->add_short(queue, known);
    }
    std::unique_ptr<MessagePages> pages(std::size_t max_message) override { return announcer_->names(max_message); }
    void report(MessageQueue& queue, SessionTemplates& known, const SessionReport& report) override {
        announcer_->add_statistics(queue, known, report);
    }
    void stamp(std::span<std::uint8_t> message, const MessageCounts& counts, std::chrono::system_clock::time_point now,
               std::uint32_t sequence) const noexcept override;
    std::uint32_t sequence_step(const MessageCounts& counts) const noexcept override { return counts.data_records; }
    ShortenedRecords shortened() const noexcept override { return shortened_; }

private:
    struct Kind {  // of data records: a template and how its records are written
        std::uint16_t template_id;
        RecordLayout layout;
        RecordEncoder encoder;
    };

    IpfixFormat(const IpfixOptions& options, std::string name, Logger& logger);
    Status plan(const IpfixOptions& options);
    std::vector<SessionTemplate> templates() const;
    Status append_templates(MessageQueue& queue) const;
    AnnouncedOptions announced(const IpfixOptions& options) const;
    std::size_t record_limit(std::size_t max_message) const noexcept;
    const Kind& kind_of(const FlowRecord& record, bool biflow) const;
    void note_cut(bool strings, bool lists);
    static void append(const Kind& kind, const FlowRecord& record, const RecordTexts& texts, std::size_t length,
                       MessageQueue& queue);

    const std::string name_;
    Logger& logger_;
    const MessageFraming framing_;
    const bool biflow_;
    const std::size_t max_message_;
    const std::uint32_t domain_;

    std::vector<Kind> kinds_;  // biflows first, IPv4 first
    std::unique_ptr<OptionsAnnouncer> announcer_;
    RecordTexts texts_[2];
    ShortenedRecords shortened_;
    RateLimit strings_log_, lists_log_;
};

}  // namespace nfstreamd::exporters::ipfix
