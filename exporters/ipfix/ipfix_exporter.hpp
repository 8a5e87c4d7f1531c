// SPDX-License-Identifier: Apache-2.0
// Exporter of type ipfix (RFC 7011, biflows by RFC 5103): flow records to one
// collector over UDP or TCP, or to a file. Sessions, export times, sequence
// numbers and template refresh are kept here. Belongs to the thread of its
// exporting process.
#pragma once
#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/selection/selector_list.hpp"
#include "exporters/ipfix/message_queue.hpp"
#include "exporters/ipfix/record_encoder.hpp"
#include "exporters/ipfix/record_layout.hpp"
#include "exporters/ipfix/selector_options.hpp"
#include "exporters/registry.hpp"
#include "exporters/transport/message_transport.hpp"

namespace nfstreamd::exporters {

extern const ExporterType kIpfixExporterType;

namespace ipfix {

// On the wire, the same in every session of every run.
enum TemplateId : std::uint16_t { kBiflowV4 = 256, kBiflowV6 = 257, kUniflowV4 = 258, kUniflowV6 = 259 };

inline constexpr std::uint16_t kStreamMessage = 8192;  // TCP: as libfixbuf and its tools
inline constexpr std::uint16_t kFileMessage = 65535;
inline constexpr std::size_t kFileWrite = 256 * 1024;  // of one write(2)

struct IpfixOptions {
    FieldSelection fields;
    FieldGroups groups;
    std::uint32_t private_enterprise_number = 0;
    std::uint32_t observation_domain = 0;
    bool biflow = true;
    std::uint16_t max_message = kStreamMessage;
    std::size_t send_octets = 64 * 1024;  // complete messages gather up to this while there is more to come
    std::chrono::milliseconds template_refresh = std::chrono::seconds(60);  // datagrams only
    SamplingElements sampling_elements = SamplingElements::kBoth;
    std::shared_ptr<const SelectorList> selectors;  // announced after the templates; null: none
};

struct IpfixClock {
    std::function<std::chrono::system_clock::time_point()> wall = [] { return std::chrono::system_clock::now(); };
    std::function<std::chrono::steady_clock::time_point()> steady = [] { return std::chrono::steady_clock::now(); };
};

class IpfixExporter final : public Exporter {
public:
    // `logger` outlives the exporter.
    static Result<std::unique_ptr<IpfixExporter>> make(const IpfixOptions& options, std::string name,
                                                       std::unique_ptr<MessageTransport> transport, Logger& logger,
                                                       IpfixClock clock = {});
    ~IpfixExporter() override { close(); }

    Status open() override;
    Status write(const RecordBatch& batch, std::size_t from, std::size_t& consumed) override;
    Status pause() override;
    Status flush() override;
    void close() noexcept override;

    const ExporterCounters& counters() const noexcept override { return counters_; }
    std::string description() const override { return transport_->description(); }

private:
    struct Kind {  // of data records: a template and how its records are written
        std::uint16_t template_id;
        RecordLayout layout;
        RecordEncoder encoder;
    };

    IpfixExporter(const IpfixOptions& options, std::string name, std::unique_ptr<MessageTransport> transport,
                  Logger& logger, IpfixClock clock);
    Status plan(const IpfixOptions& options);
    Status plan_templates();
    const Kind& kind_of(const FlowRecord& record, bool biflow) const;

    Status take(const FlowRecord& record);
    std::size_t measure(const Kind& kind, const FlowRecord& record, RecordTexts& texts);
    void note_cut(const RecordEncoder::Measured& measured);
    void append(const Kind& kind, const FlowRecord& record, const RecordTexts& texts, std::size_t length);
    Status flush_within(std::chrono::milliseconds limit);

    void queue_templates();
    void refresh_templates();
    void announce_selectors();
    Status send_pending();
    bool data_is_full() const noexcept { return !data_.empty() && data_.bytes().size() >= send_octets_; }
    Status send_from(MessageQueue& queue, bool& begun, std::size_t most);
    void stamp(MessageQueue& queue, bool begun);
    void sent(const MessageQueue& queue, std::size_t count);
    void refused(const std::vector<std::uint64_t>& numbers);
    void give_up(MessageQueue& queue, const Error& error);
    Status fail(Error error);

    const std::string name_;
    const std::unique_ptr<MessageTransport> transport_;
    Logger& logger_;
    const IpfixClock clock_;
    const bool biflow_;
    const std::size_t max_message_, send_octets_;
    const std::chrono::milliseconds template_refresh_;
    const std::uint32_t domain_;
    const SamplingElements sampling_elements_;
    const std::shared_ptr<const SelectorList> selectors_;

    std::vector<Kind> kinds_;
    std::size_t record_limit_ = 0;                              // octets that one data record may take
    std::vector<std::vector<std::uint8_t>> template_messages_;  // the same in every session
    RecordTexts texts_[2];

    // Messages survive a new session, as template ids are fixed and headers are
    // stamped when they leave; templates and options do not: it has its own.
    MessageQueue data_, session_;
    bool data_begun_ = false, session_begun_ = false;  // part of the first message may be out

    bool open_ = false;
    std::uint32_t sequence_ = 0;
    std::uint64_t messages_sent_ = 0;                                          // in this session
    std::array<std::uint64_t, MessageTransport::kRemembered> records_sent_{};  // of the newest messages, by number
    bool refused_since_templates_ = false;
    std::uint64_t selectors_version_ = 0;  // that was announced
    std::chrono::steady_clock::time_point templates_sent_{}, deadline_{};

    ExporterCounters counters_;
    RateLimit cut_log_, lists_log_, drop_log_;
};

}  // namespace ipfix
}  // namespace nfstreamd::exporters
