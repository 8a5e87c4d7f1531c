// SPDX-License-Identifier: Apache-2.0
// Questions about the flows that are in a flow cache now. Who asks makes one for
// each metering process, hands it over, and reads what was found when done() is
// true; until then it belongs to the metering thread, but for cancel().
#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/ip_address.hpp"
#include "core/record/filter_expression.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

class TableInquiry {
public:
    bool done() const noexcept { return done_.load(std::memory_order_acquire); }
    bool complete() const noexcept { return complete_; }  // every place of the table was looked at
    void cancel() noexcept { cancelled_ = true; }         // what was found by then is enough

    // the metering thread
    bool cancelled() const noexcept { return cancelled_.load(); }
    void finish(bool complete) noexcept {
        complete_ = complete;
        done_.store(true, std::memory_order_release);
    }

private:
    std::atomic<bool> cancelled_{false}, done_{false};
    bool complete_ = false;
};

// What makes a flow come first.
enum class FlowOrder : std::uint8_t { kOctets, kPackets, kDuration, kNewest, kOldest, kLast };
std::uint64_t rank_of(const FlowRecord& record, FlowOrder order) noexcept;  // the higher the earlier

// The first flows by an order, each as the record that it would be if it ended
// now. A flow that ends meanwhile may be missing.
struct FlowListing : TableInquiry {
    std::shared_ptr<const FilterExpression> filter;  // null: every flow
    FlowOrder order = FlowOrder::kOctets;
    std::size_t limit = 20;

    std::uint64_t flows = 0, matching = 0;  // looked at; of these
    RecordBatch found;                      // as the order wants them
};

// Who sends how much of what, since the look before this one.
struct FlowActivity : TableInquiry {
    struct Talker {
        std::uint64_t sent_octets = 0, received_octets = 0, sent_packets = 0, received_packets = 0, flows = 0;
        std::uint64_t weight() const noexcept { return sent_octets + received_octets; }
    };
    struct Application {
        std::string name;
        std::uint64_t octets = 0, packets = 0, flows = 0;
        std::uint64_t weight() const noexcept { return octets; }
    };
    static constexpr std::size_t kTalkers = 256, kApplications = 128;  // told of, at most

    std::chrono::nanoseconds window{0};                 // 0: there was no look before, and what follows says nothing
    std::uint64_t flows = 0, active = 0;                // in the table; of these, with packets in the window
    std::vector<std::pair<IpAddress, Talker>> talkers;  // the heaviest first
    std::vector<Application> applications;
    std::uint64_t talker_error = 0;  // octets that no talker has more than it shows
};

}  // namespace nfstreamd
