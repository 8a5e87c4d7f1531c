// SPDX-License-Identifier: Apache-2.0
// An exporter of messages that hold one record or several: any MessagePacker with
// any Publisher. A record counts when its message was delivered, as far as the
// publisher can tell. Belongs to the thread of its exporter.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/export/exporter.hpp"
#include "exporters/encode/message_packer.hpp"
#include "exporters/publish/delivery_ledger.hpp"
#include "exporters/transport/publisher.hpp"

namespace nfstreamd::exporters {

enum class MessageKey : std::uint8_t {
    kNone,
    kFlow,   // of the one record in each message: the flow's ends
    kGroup,  // of several records: flows are spread over kKeyGroups messages under way, "0" to "63"
};

class PublishingExporter final : public Exporter {
public:
    static constexpr std::size_t kKeyGroups = 64;
    using MakePacker = std::function<std::unique_ptr<MessagePacker>()>;

    // `remembers`: somebody keeps records, so that delivered ones that may yet be
    // lost are told by unconfirmed(), too. Goes with MessageKey::kNone.
    PublishingExporter(const MakePacker& make_packer, MessageKey key, std::unique_ptr<Publisher> publisher,
                       bool remembers = false);
    ~PublishingExporter() override { close(); }

    Status open() override;
    Status write(const RecordBatch& batch, std::size_t from, std::size_t& consumed) override;
    Status pause() override;
    Status flush() override;
    void close() noexcept override;

    void set_patience(std::chrono::milliseconds patience) override;
    std::size_t unconfirmed() override {
        return static_cast<std::size_t>(ledger_.unconfirmed(publisher_->unconfirmed()));
    }
    void forget_unconfirmed() override;
    Status conclude() override;

    const ExporterCounters& counters() const noexcept override { return counters_; }
    std::string description() const override { return publisher_->description(); }

private:
    using Clock = Publisher::Clock;

    Status take(const FlowRecord& record);
    Status take_from(MessagePacker& packer);
    Status send_pending();
    Status send_all();
    bool nothing_is_packed() const noexcept;
    Status check_progress();
    Status note(Status status);
    void count();
    Clock::time_point deadline() const { return Clock::now() + patience_; }

    const MessageKey key_;
    const std::unique_ptr<Publisher> publisher_;
    std::vector<std::unique_ptr<MessagePacker>> packers_;
    std::chrono::milliseconds patience_;
    Clock::time_point deadline_{};  // of the call

    PackedMessage pending_;  // that the publisher has not taken yet
    std::string pending_key_;
    std::uint64_t pending_number_ = 0;
    bool is_pending_ = false;

    DeliveryLedger ledger_;
    std::uint64_t refused_ = 0;
    Clock::time_point settled_at_{};  // when a report came last, or none was due
    ExporterCounters counters_;
    bool open_ = false;
};

}  // namespace nfstreamd::exporters
