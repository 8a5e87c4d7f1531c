// SPDX-License-Identifier: Apache-2.0
// Answers questions about the flows of one metering process, a few hundred places
// of its tables between two polls, and not more than a fifth of the time while
// packets come. One metering thread.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/mixing.hpp"
#include "core/metering/flow_meter.hpp"
#include "core/metering/heavy_hitters.hpp"
#include "core/metering/table_inquiry.hpp"

namespace nfstreamd {

class TableReader {
public:
    using Clock = std::chrono::steady_clock;
    using Inquiry = std::variant<std::shared_ptr<FlowListing>, std::shared_ptr<FlowActivity>>;

    TableReader(FlowMeter<FlowKeyV4>& v4, FlowMeter<FlowKeyV6>& v6);

    void take(Inquiry inquiry) { inquiries_.push_back(std::move(inquiry)); }
    // `busy`: packets came since the last time. True: there is more to do.
    bool step(Clock::time_point now, bool busy);
    // There will be no more steps.
    void end();

    // Where the texts of enriched records lie.
    void set_tables(std::shared_ptr<const void> tables);

private:
    struct Candidate {
        std::uint64_t rank;
        std::uint32_t index;
        bool v6;
        TimestampNs first;
        bool operator>(const Candidate& other) const noexcept { return rank > other.rank; }
    };
    struct AddressHash {
        std::array<std::uint64_t, 2> secret;
        std::size_t operator()(const IpAddress& address) const noexcept;
    };
    struct Activity {
        explicit Activity(AddressHash hash) : talkers(1024, hash), applications(256) {}
        HeavyHitters<IpAddress, FlowActivity::Talker, AddressHash> talkers;
        HeavyHitters<std::uint64_t, FlowActivity::Application> applications;
    };

    FlowListing* current_listing() const;  // null: another inquiry is under way, or none
    bool advance();
    template <class Asked>
    bool scan_both(Asked& asked);
    bool advance(FlowListing& listing);
    bool advance(FlowActivity& activity);
    template <class Meter>
    bool scan(Meter& meter, FlowListing& listing);
    template <class Meter>
    bool scan(Meter& meter, FlowActivity& activity);
    void build(FlowListing& listing);
    void conclude(FlowActivity& activity);
    void begin_next();

    FlowMeter<FlowKeyV4>& v4_;
    FlowMeter<FlowKeyV6>& v6_;
    std::shared_ptr<const void> tables_;
    const AddressHash hash_;

    std::deque<Inquiry> inquiries_;  // the first is under way
    bool begun_ = false;
    Clock::time_point next_{}, began_{};
    // of the one under way
    bool in_v6_ = false;
    std::uint32_t place_ = 0;
    FlowParts parts_;
    Arena scratch_;
    std::vector<Candidate> candidates_;  // a heap, the last one first; then in order
    bool building_ = false, scanned_ = false;
    std::size_t built_ = 0;
    std::optional<Activity> activity_;

    // of all looks for activity
    std::optional<Clock::time_point> looked_;  // when the last look began; none: nothing is remembered
};

}  // namespace nfstreamd
