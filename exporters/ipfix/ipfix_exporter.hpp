// SPDX-License-Identifier: Apache-2.0
// Exporter of type ipfix (RFC 7011, biflows by RFC 5103): flow records to one
// collector over UDP or TCP, or to a file. libfixbuf encodes; sessions, export
// times, sequence numbers and template refresh are kept here. Belongs to the
// thread of its exporting process.
#pragma once
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/selection/selector_list.hpp"
#include "exporters/ipfix/fixbuf_session.hpp"
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

struct IpfixOptions {
    FieldSelection fields;
    FieldGroups groups;
    std::uint32_t private_enterprise_number = 0;
    std::uint32_t observation_domain = 0;
    bool biflow = true;
    std::uint16_t max_message = kStreamMessage;
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
    Status flush() override;
    void close() noexcept override;

    const ExporterCounters& counters() const noexcept override { return counters_; }
    std::string description() const override { return transport_->description(); }

private:
    // An encoded message that has not left yet. It survives a new session, as
    // template ids are fixed and its header is stamped when it is sent.
    struct Message {
        std::vector<std::uint8_t> bytes;
        std::uint64_t records = 0;       // flow records
        std::uint32_t data_records = 0;  // as the sequence number counts
        bool stamped = false;            // parts of it may be out
        bool of_session = false;         // templates, options: a new session has its own
    };
    struct Part {  // one data record of a flow record: a biflow, or one half
        std::size_t layout = 0, wire_length = 0;
    };

    IpfixExporter(const IpfixOptions& options, std::string name, std::unique_ptr<MessageTransport> transport,
                  Logger& logger, IpfixClock clock);
    Status plan(const IpfixOptions& options);
    std::size_t layout_of(const FlowRecord& record, bool biflow) const;

    Status take(const FlowRecord& record);
    Part fill(const FlowRecord& record, bool biflow, std::vector<std::uint8_t>& packed);
    Status append(std::span<const Part> parts);
    void end_message();
    Status flush_within(std::chrono::milliseconds limit);

    void queue_templates();
    void refresh_templates();
    void announce_selectors(std::size_t at);
    Status send_pending();
    void stamp(Message& message);
    void sent(const Message& message);
    void refused();
    void give_up(Message& message, const Error& error);
    Status fail(Error error);

    const std::string name_;
    const std::unique_ptr<MessageTransport> transport_;
    Logger& logger_;
    const IpfixClock clock_;
    const bool biflow_;
    const std::size_t max_message_;
    const std::chrono::milliseconds template_refresh_;
    const std::uint32_t domain_;
    const SamplingElements sampling_elements_;
    const std::shared_ptr<const SelectorList> selectors_;

    std::vector<RecordLayout> layouts_;
    std::vector<std::uint16_t> template_ids_;  // of layouts_
    std::size_t record_limit_ = 0;             // octets that one data record may take
    std::unique_ptr<FixbufSession> session_;
    std::vector<std::uint8_t> packed_[2];

    std::size_t length_ = kMessageHeader;  // of the message that is being encoded
    std::size_t layout_in_set_ = SIZE_MAX;
    std::uint64_t records_in_message_ = 0;
    std::uint32_t data_records_in_message_ = 0;

    bool open_ = false;
    std::deque<Message> pending_;
    std::uint32_t sequence_ = 0;
    std::uint64_t last_sent_records_ = 0;
    bool refused_since_templates_ = false;
    std::uint64_t selectors_version_ = 0;  // that was announced
    std::chrono::steady_clock::time_point templates_sent_{}, deadline_{};

    ExporterCounters counters_;
    RateLimit cut_log_, drop_log_;
};

}  // namespace ipfix
}  // namespace nfstreamd::exporters
