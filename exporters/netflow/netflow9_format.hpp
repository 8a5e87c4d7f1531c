// SPDX-License-Identifier: Apache-2.0
// NetFlow version 9 (RFC 3954): templates of the field table's elements, which have
// the same numbers there; elements of ntop by its own numbers for version 9, all
// others are left out. Strings have fixed lengths, times are those of uptime.hpp
// and absolute ones beside them. Belongs to the thread of its exporter.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/record/template.hpp"
#include "exporters/ipfix/record_encoder.hpp"
#include "exporters/ipfix/record_layout.hpp"
#include "exporters/netflow/uptime.hpp"
#include "exporters/options/options_announcer.hpp"
#include "exporters/session/message_format.hpp"

namespace nfstreamd::exporters::netflow {

struct Netflow9Options {
    FieldSelection fields;
    FieldGroups groups;
    std::uint32_t source_id = 0;
    // Octets and packets of the other direction as OUT_BYTES (23) and OUT_PKTS (24) in
    // one record; false: each direction is a record.
    bool biflow = false;
    std::size_t max_message = 1372;
    std::int64_t start_ms = 0;  // host_start_ms()
    OptionsProfile options;     // its protocol and domain are set here
    std::shared_ptr<const SelectorList> selectors{};
    std::shared_ptr<const ProcessFacts> facts{};
    std::uint32_t exporting_process = 0;
};

// The fields of a template, behind the two times that each begins with.
std::vector<ipfix::FieldPlan> netflow9_plan(const FieldSelection& fields, int ip_version, bool biflow,
                                            const FieldGroups& groups);

class Netflow9Format final : public MessageFormat {
public:
    static constexpr std::size_t kHeader = 20;

    static Result<std::unique_ptr<Netflow9Format>> make(const Netflow9Options& options);

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
    std::uint32_t sequence_step(const MessageCounts&) const noexcept override { return 1; }  // RFC 3954, 5.1

private:
    struct Kind {  // of records: a template and how they are written
        std::uint16_t template_id;
        ipfix::RecordLayout layout;
        ipfix::RecordEncoder encoder;
        std::size_t length;  // of a record, its times included
    };

    explicit Netflow9Format(const Netflow9Options& options);
    Status plan(const Netflow9Options& options);
    Status append_templates(MessageQueue& queue) const;
    void append(const Kind& kind, const FlowRecord& record, std::int64_t base_ms, MessageQueue& queue);

    const Uptime uptime_;
    const bool biflow_;
    const std::size_t max_message_;
    MessageFraming framing_;
    std::vector<Kind> kinds_;  // IPv4, IPv6
    std::unique_ptr<OptionsAnnouncer> announcer_;
    ipfix::RecordTexts texts_;
};

}  // namespace nfstreamd::exporters::netflow
