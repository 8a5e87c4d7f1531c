// SPDX-License-Identifier: Apache-2.0
// Flows, packets and octets by application, as records are made. Bounded: what
// comes when there is no place left for another name is counted as one. The
// metering thread counts; totals() may be called from any thread.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/counter.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

struct ApplicationTotals {
    std::uint64_t flows = 0, packets = 0, octets = 0;  // in records; octets of IP datagrams
    ApplicationTotals& operator+=(const ApplicationTotals& other) noexcept {
        flows += other.flows;
        packets += other.packets;
        octets += other.octets;
        return *this;
    }
};
using ApplicationCountsByName = std::map<std::string, ApplicationTotals>;

class ApplicationCounts {
public:
    static constexpr std::size_t kMost = 512;                             // names
    static constexpr std::string_view kNotDissected = "(not dissected)";  // shed under overload
    static constexpr std::string_view kOther = "(other)";                 // of more names than that

    void enable();  // before the first count(), from the thread that makes it
    bool enabled() const noexcept { return places_ != nullptr; }

    void count(const FlowRecord& record);
    void add_to(ApplicationCountsByName& totals) const;

private:
    struct Place {
        std::string name;  // written once, before used_ says that it is there
        Counter flows, packets, octets;
    };
    using Places = std::array<Place, kMost + 2>;  // the first two are those of no name

    Place& place_of(std::string_view name);

    std::unique_ptr<Places> places_;  // null: nothing is dissected
    std::atomic<std::size_t> used_{0};
    std::unordered_map<std::string_view, Place*> by_name_;
};

}  // namespace nfstreamd
